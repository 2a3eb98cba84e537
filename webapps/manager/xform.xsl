<?xml version="1.0" encoding="UTF-8"?>
<!-- How a browser shows /status?XML=true. -->
<xsl:stylesheet xmlns:xsl="http://www.w3.org/1999/XSL/Transform" version="1.0">
  <xsl:output method="html" encoding="utf-8"/>
  <xsl:template match="/status">
    <html lang="en">
      <head><title>Server Status</title></head>
      <body>
        <h1>Memory</h1>
        <p>Free <xsl:value-of select="jvm/memory/@free"/>, total <xsl:value-of select="jvm/memory/@total"/>, at most
          <xsl:value-of select="jvm/memory/@max"/> bytes</p>
        <xsl:for-each select="connector">
          <h1><xsl:value-of select="@name"/></h1>
          <table border="1">
            <xsl:for-each select="threadInfo/@* | requestInfo/@*">
              <tr><th align="left"><xsl:value-of select="name()"/></th><td><xsl:value-of select="."/></td></tr>
            </xsl:for-each>
          </table>
        </xsl:for-each>
      </body>
    </html>
  </xsl:template>
</xsl:stylesheet>
