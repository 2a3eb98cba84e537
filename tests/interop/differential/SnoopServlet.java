import jakarta.servlet.ServletException;
import jakarta.servlet.http.Cookie;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.TreeMap;
import java.util.zip.CRC32;

/** Says what the container has made of a request. */
public class SnoopServlet extends HttpServlet {
    @Override
    protected void service(HttpServletRequest request, HttpServletResponse response)
            throws ServletException, IOException {
        StringBuilder out = new StringBuilder();
        String query = request.getQueryString();
        line(out, "method", request.getMethod());
        line(out, "scheme", request.getScheme());
        line(out, "server", request.getServerName() + " " + request.getServerPort());
        line(out, "remote", request.getRemoteAddr());
        line(out, "uri", request.getRequestURI());
        line(out, "path", request.getServletPath() + " " + request.getPathInfo());
        line(out, "query", query);
        line(out, "type", request.getContentType());
        line(out, "auth", request.getAuthType() + " " + request.getRemoteUser());
        line(out, "roles", request.isUserInRole("one") + " " + request.isUserInRole("two"));
        if (request.getServletPath().equals("/body") || request.getServletPath().equals("/snoop/body")) {
            CRC32 sum = new CRC32();
            byte[] body = request.getInputStream().readAllBytes();
            sum.update(body);
            line(out, "body", body.length + " " + Long.toHexString(sum.getValue()));
        }
        if (request.getServletPath().equals("/session")) {
            if ("new".equals(query)) {
                request.getSession();
            }
            line(out, "session", request.getRequestedSessionId() + " " + request.isRequestedSessionIdFromCookie()
                    + " " + request.isRequestedSessionIdFromURL());
        }
        if (request.getServletPath().equals("/cookies") && request.getCookies() != null) {
            Cookie[] cookies = request.getCookies().clone();
            Arrays.sort(cookies, Comparator.comparing(Cookie::getName));
            for (Cookie cookie : cookies) {
                line(out, "cookie", cookie.getName() + "=" + cookie.getValue());
            }
        }
        if (request.getServletPath().equals("/headers")) {
            TreeMap<String, Object> fields = new TreeMap<>();
            for (String name : Collections.list(request.getHeaderNames())) {
                if (name.toLowerCase().startsWith("x-")) {
                    fields.put(name.toLowerCase(), String.join(",", Collections.list(request.getHeaders(name))));
                }
            }
            fields.forEach((name, value) -> line(out, "header " + name, value));
        }
        if (request.getServletPath().equals("/params")) {
            TreeMap<String, String[]> parameters = new TreeMap<>(request.getParameterMap());
            parameters.forEach((name, values) -> line(out, "parameter " + name, Arrays.toString(values)));
        }
        if (query != null && query.startsWith("type=")) {
            response.setContentType(query.substring(5).replace("%3B", ";").replace("%20", " "));
        } else {
            response.setContentType("text/plain");
            response.setCharacterEncoding("UTF-8");
        }
        response.getOutputStream().write(out.toString().getBytes(StandardCharsets.UTF_8));
    }

    private static void line(StringBuilder out, String name, Object value) {
        out.append(name).append('=').append(value).append('\n');
    }
}
