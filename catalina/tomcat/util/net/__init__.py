"""TLS as operators describe it.

``ssl_host_config`` and ``ssl_host_config_certificate`` are the elements; ``tls_context`` makes an ssl.SSLContext of
them, with ``cipher_names`` and ``keystore``; ``tls_client_hello_extractor`` finds the host's name before that.
"""
