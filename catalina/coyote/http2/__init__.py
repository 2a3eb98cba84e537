# http2_protocol.py   <UpgradeProtocol className="org.apache.coyote.http2.Http2Protocol"/>
