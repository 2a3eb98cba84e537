import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;

/** Reads the body and says how long it was. Its twin is in http2_servers.py. */
public class BodyServlet extends HttpServlet {
    @Override
    protected void service(HttpServletRequest request, HttpServletResponse response) throws IOException {
        byte[] body = request.getInputStream().readAllBytes();
        response.setContentType("text/plain");
        response.getOutputStream().write((request.getMethod() + " " + body.length).getBytes("ISO-8859-1"));
    }
}
