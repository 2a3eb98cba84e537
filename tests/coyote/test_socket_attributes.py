from catalina.coyote.socket_attributes import SocketAttributes


def test_every_attribute_has_the_prefix_of_its_kind_and_says_what_it_does():
    declared = SocketAttributes.attributes()
    assert all(name.startswith("socket.") for name in declared)
    assert all(attribute.doc or attribute.inert for attribute in declared.values())


def test_unset_options_leave_the_systems_default():
    attributes = SocketAttributes()
    assert attributes.socket_rx_buf_size is None
    assert attributes.set_attribute("socket.rxBufSize", "25188")
    assert attributes.socket_rx_buf_size == 25188
