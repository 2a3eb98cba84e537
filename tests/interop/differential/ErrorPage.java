import jakarta.servlet.RequestDispatcher;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;

/** An error page that says what it was told. */
public class ErrorPage extends HttpServlet {
    @Override
    protected void service(HttpServletRequest request, HttpServletResponse response) throws IOException {
        if ("fail".equals(request.getQueryString())) {
            throw new IllegalStateException("the page itself");
        }
        Object filters = request.getAttribute("filters");
        response.setContentType("text/plain;charset=UTF-8");
        response.getWriter().write("error page " + request.getServletPath() + "\n"
                + "status=" + request.getAttribute(RequestDispatcher.ERROR_STATUS_CODE) + "\n"
                + "message=" + request.getAttribute(RequestDispatcher.ERROR_MESSAGE) + "\n"
                + "uri=" + request.getAttribute(RequestDispatcher.ERROR_REQUEST_URI) + "\n"
                + "servlet=" + request.getAttribute(RequestDispatcher.ERROR_SERVLET_NAME) + "\n"
                + "exception=" + (request.getAttribute(RequestDispatcher.ERROR_EXCEPTION) != null) + "\n"
                + "filters=" + (filters == null ? "" : filters) + "\n");
    }
}
