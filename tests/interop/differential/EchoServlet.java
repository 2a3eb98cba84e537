import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;

/** Says which servlet was found, by what path and pattern, and which filters the request has passed. */
public class EchoServlet extends HttpServlet {
    @Override
    protected void service(HttpServletRequest request, HttpServletResponse response)
            throws ServletException, IOException {
        Object filters = request.getAttribute("filters");
        response.setContentType("text/plain;charset=UTF-8");
        response.getWriter().write("servlet=" + getServletName() + "\n"
                + "method=" + request.getMethod() + "\n"
                + "context=" + request.getServletContext().getContextPath() + "\n"
                + "servletPath=" + request.getServletPath() + "\n"
                + "pathInfo=" + request.getPathInfo() + "\n"
                + "query=" + request.getQueryString() + "\n"
                + "filters=" + (filters == null ? "" : filters) + "\n"
                + "init=" + getInitParameter("greeting") + "\n"
                + "parameter=" + getServletContext().getInitParameter("shop") + "\n");
    }
}
