import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpSession;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.Date;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;

/** The Java side of the interop tests: the same paths and the same JSON as tests/cluster/webapp. */
public class ProbeServlet extends HttpServlet {

    /** A value of a class that only this application has. */
    public record Foreign(String text, int number) implements java.io.Serializable {
    }

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response) throws IOException {
        String action = request.getServletPath().substring(1) + (request.getPathInfo() == null ? "" : request.getPathInfo());
        HttpSession session = request.getSession(false);
        switch (action) {
        case "count" -> {
            session = request.getSession();
            Integer count = (Integer) session.getAttribute("count");
            session.setAttribute("count", count == null ? 1 : count + 1);
        }
        case "put" -> {
            session = request.getSession();
            for (Map.Entry<String, String[]> entry : request.getParameterMap().entrySet()) {
                session.setAttribute(entry.getKey(), entry.getValue()[0]);
            }
        }
        case "remove" -> session.removeAttribute(request.getParameter("name"));
        case "fill" -> request.getSession().setAttribute("payload", "x".repeat(Integer.parseInt(request.getParameter("bytes"))));
        case "invalidate" -> {
            if (session != null) {
                session.invalidate();
                session = null;
            }
        }
        case "change_id" -> request.changeSessionId();
        case "interval" -> session.setMaxInactiveInterval(Integer.parseInt(request.getParameter("seconds")));
        case "types" -> {
            session = request.getSession();
            for (Map.Entry<String, Object> entry : types().entrySet()) {
                session.setAttribute(entry.getKey(), entry.getValue());
            }
        }
        default -> {
        }
        }
        StringBuilder json = new StringBuilder("{\"id\": ");
        json.append(session == null ? "null" : quote(session.getId()));
        json.append(", \"new\": ").append(session == null || session.isNew());
        json.append(", \"values\": {");
        if (session != null) {
            boolean first = true;
            for (String name : Collections.list(session.getAttributeNames())) {
                if (name.equals("payload")) {
                    continue;
                }
                json.append(first ? "" : ", ").append(quote(name)).append(": ");
                json.append(action.equals("described") ? quote(describe(session.getAttribute(name))) : plain(session.getAttribute(name)));
                first = false;
            }
        }
        Object original = request.getAttribute("org.apache.catalina.ha.session.JvmRouteOriginalSessionID");
        json.append("}, \"original_id\": ").append(original == null ? "null" : quote(original.toString())).append("}");
        byte[] body = json.toString().getBytes(StandardCharsets.UTF_8);
        response.setContentType("application/json");
        response.setContentLength(body.length);
        response.getOutputStream().write(body);
    }

    private static Map<String, Object> types() {
        Map<String, Object> values = new LinkedHashMap<>();
        values.put("text", "Gr\u00fc\u00dfe \u0000 \ud83d\ude00");
        values.put("yes", Boolean.TRUE);
        values.put("small", 1);
        values.put("long", 1L << 40);
        values.put("huge", BigInteger.ONE.shiftLeft(100).negate());
        values.put("float", 1.5);
        values.put("bytes", new byte[] { 0, (byte) 0xff });
        values.put("list", new ArrayList<>(Arrays.asList(1, "a", null, new ArrayList<>(List.of(2.0)))));
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("a", 1);
        map.put("b", new ArrayList<>(List.of(1, 2)));
        values.put("dict", map);
        values.put("set", new HashSet<>(List.of(1, 2, 3)));
        values.put("decimal", new BigDecimal("1.10"));
        values.put("uuid", new UUID(0, 5));
        values.put("instant", Instant.ofEpochSecond(1767323045L));
        values.put("date", new Date(1767323045000L));
        values.put("tree", new TreeMap<>(Map.of("k", "v")));
        values.put("foreign", new Foreign("only here", 7));
        return values;
    }

    private static String plain(Object value) {
        return value instanceof Number ? value.toString() : value instanceof String text ? quote(text) : quote(describe(value));
    }

    /** A value with its Java class, in one order for sets. */
    private static String describe(Object value) {
        if (value == null) {
            return "null";
        }
        String type = value.getClass().getSimpleName();
        if (value instanceof byte[] bytes) {
            return "byte[" + new BigInteger(1, bytes).toString(16) + "/" + bytes.length + "]";
        }
        if (value instanceof Map<?, ?> map) {
            List<String> parts = new ArrayList<>();
            map.forEach((key, inner) -> parts.add(describe(key) + "=" + describe(inner)));
            return type + parts;
        }
        if (value instanceof Collection<?> items) {
            Collection<String> parts = value instanceof List ? new ArrayList<>() : new TreeSet<>();
            items.forEach(item -> parts.add(describe(item)));
            return type + parts;
        }
        if (value instanceof Date date) {
            return type + "(" + date.getTime() + ")";
        }
        return type + "(" + value + ")";
    }

    private static String quote(String text) {
        StringBuilder quoted = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            if (c == '"' || c == '\\' || c < ' ' || c > '~') {
                quoted.append(String.format("\\u%04x", (int) c));
            } else {
                quoted.append(c);
            }
        }
        return quoted.append('"').toString();
    }
}
