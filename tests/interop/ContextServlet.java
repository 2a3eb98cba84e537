import jakarta.servlet.ServletContext;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Sets, removes and shows attributes of the context: one text, or as "name" a map with a number and a list. */
public class ContextServlet extends HttpServlet {

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response) throws IOException {
        ServletContext context = getServletContext();
        String name = request.getParameter("name");
        switch (request.getServletPath()) {
        case "/put" -> context.setAttribute(name, request.getParameter("value"));
        case "/put_tree" -> context.setAttribute(name, new TreeMap<>(Map.of("number", 7, "items", new ArrayList<>(List.of("a", "b")))));
        case "/remove" -> context.removeAttribute(name);
        default -> {
        }
        }
        Object value = context.getAttribute(name);
        response.setContentType("text/plain");
        response.getOutputStream().print(value instanceof Map<?, ?> map ? new TreeMap<>(map).toString() : String.valueOf(value));
    }
}
