import jakarta.servlet.RequestDispatcher;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;

/** Forwards to, or includes, what the query names. */
public class DispatchServlet extends HttpServlet {
    @Override
    protected void service(HttpServletRequest request, HttpServletResponse response)
            throws ServletException, IOException {
        String[] wanted = request.getQueryString().split("=", 2);
        RequestDispatcher dispatcher = request.getServletContext().getRequestDispatcher(wanted[1]);
        if (dispatcher == null) {
            response.setContentType("text/plain;charset=UTF-8");
            response.getWriter().write("no dispatcher");
        } else if (wanted[0].equals("forward")) {
            dispatcher.forward(request, response);
        } else {
            response.setContentType("text/plain;charset=UTF-8");
            dispatcher.include(request, response);
        }
    }
}
