import jakarta.servlet.ServletException;
import jakarta.servlet.UnavailableException;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;

/** Fails in the way that the query asks for. */
public class FailServlet extends HttpServlet {
    @Override
    protected void service(HttpServletRequest request, HttpServletResponse response)
            throws ServletException, IOException {
        String[] wanted = request.getQueryString().split("=", 2);
        switch (wanted[0]) {
            case "error": response.sendError(Integer.parseInt(wanted[1])); break;
            case "message": response.sendError(400, "a <b> & 'c'"); break;
            case "status": response.setStatus(Integer.parseInt(wanted[1])); break;
            case "body":
                response.setStatus(Integer.parseInt(wanted[1]));
                response.setContentType("text/plain");
                response.getOutputStream().write("own body".getBytes());
                break;
            case "partial":
                response.getOutputStream().write("dropped".getBytes());
                response.sendError(Integer.parseInt(wanted[1]));
                break;
            case "raise":
                if (wanted[1].equals("lookup")) {
                    throw new IndexOutOfBoundsException("no such thing");
                }
                if (wanted[1].equals("value")) {
                    throw new NumberFormatException("not a number");
                }
                throw new IllegalStateException("broken");
            case "redirect": response.sendRedirect(wanted[1]); break;
            default: throw new ServletException(wanted[0]);
        }
    }
}
