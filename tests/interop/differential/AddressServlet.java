import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;

/** Says where a dispatched request is, and where it came from. */
public class AddressServlet extends HttpServlet {
    private static final String[] PARTS = {"request_uri", "context_path", "servlet_path", "path_info", "query_string"};

    @Override
    protected void service(HttpServletRequest request, HttpServletResponse response)
            throws ServletException, IOException {
        StringBuilder out = new StringBuilder();
        out.append(request.getMethod()).append(' ').append(request.getRequestURI()).append(' ')
                .append(request.getServletPath()).append(' ').append(request.getPathInfo()).append('\n');
        for (String kind : new String[] {"forward", "include"}) {
            for (String part : PARTS) {
                out.append(kind).append(' ').append(part).append('=')
                        .append(request.getAttribute("jakarta.servlet." + kind + "." + part)).append('\n');
            }
        }
        response.setContentType("text/plain;charset=UTF-8");
        response.setHeader("X-Filter", "back");
        response.getWriter().write(out.toString());
    }
}
