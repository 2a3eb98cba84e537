# ssl_host_config.py, ssl_host_config_certificate.py   <SSLHostConfig> and <Certificate>
# tls_context.py   what they say -> ssl.SSLContext     keystore.py, java_keystore.py   keys out of PKCS12 and JKS files
