from catalina.coyote.http2.http2_protocol import Http2Protocol


def test_defaults_are_tomcats():
    upgrade = Http2Protocol()
    assert (upgrade.max_concurrent_streams, upgrade.initial_window_size) == (100, 65_535)
    assert upgrade.set_attribute("maxConcurrentStreams", "7")
    assert upgrade.set_attribute("noCompressionStrongETag", "true")
    assert upgrade.max_concurrent_streams == 7


def test_trailers_have_the_connectors_limit_unless_one_is_given():
    upgrade = Http2Protocol()
    assert upgrade.trailer_size(5000) == 5000
    assert upgrade.set_attribute("maxTrailerSize", "77")
    assert upgrade.trailer_size(5000) == 77
