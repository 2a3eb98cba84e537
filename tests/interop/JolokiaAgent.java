import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.lang.management.ManagementFactory;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import javax.management.ObjectName;
import org.jolokia.backend.BackendManager;
import org.jolokia.config.ConfigKey;
import org.jolokia.config.Configuration;
import org.jolokia.http.HttpRequestHandler;
import org.jolokia.restrictor.AllowAllRestrictor;
import org.jolokia.util.LogHandler;

/** A real Jolokia agent over two beans of a known kind, for the tests: java JolokiaAgent; it prints its port. */
public class JolokiaAgent {

    public interface ShopMBean {
        int getCount();
        void setCount(int count);
        long getBig();
        boolean isOpen();
        String getTitle();
        void setTitle(String title);
        String[] getNames();
        String[] getTags();
        void setTags(String[] tags);
        Map<String, Integer> getTable();
        String getNothing();
        double getShare();
        int add(int first, int second);
        String greet(String who);
        void touch();
        String[] all();
        int fail();
        String over(int number);
        String over(String text);
    }

    public static class Shop implements ShopMBean {
        private int count = 3;
        private String title = "corner";
        private String[] tags = {"red", "blue"};

        public int getCount() { return count; }
        public void setCount(int newCount) { count = newCount; }
        public long getBig() { return 1L << 60; }
        public boolean isOpen() { return true; }
        public String getTitle() { return title; }
        public void setTitle(String newTitle) { title = newTitle; }
        public String[] getTags() { return tags.clone(); }
        public void setTags(String[] newTags) { tags = newTags; }
        public String[] getNames() { return new String[] {"a", "b", "c"}; }
        public Map<String, Integer> getTable() {
            Map<String, Integer> table = new TreeMap<>();
            table.put("x", 1);
            table.put("y", 2);
            return table;
        }
        public String getNothing() { return null; }
        public double getShare() { return 0.5; }
        public int add(int first, int second) { return first + second; }
        public String greet(String who) { return "hello " + who; }
        public void touch() { }
        public String[] all() { return getNames(); }
        public int fail() { throw new IllegalStateException("closed"); }
        public String over(int number) { return "number"; }
        public String over(String text) { return "text"; }
    }

    private static class Quiet implements LogHandler {
        public void debug(String message) { }
        public void info(String message) { }
        public void error(String message, Throwable thrown) { }
    }

    public static void main(String[] arguments) throws Exception {
        for (String name : new String[] {"shop:type=Shop,name=one", "shop:type=Shop,name=two"}) {
            ManagementFactory.getPlatformMBeanServer().registerMBean(new Shop(), new ObjectName(name));
        }
        Configuration configuration = new Configuration(ConfigKey.AGENT_ID, "test");
        LogHandler log = new Quiet();
        BackendManager beans = new BackendManager(configuration, log, new AllowAllRestrictor());
        HttpRequestHandler handler = new HttpRequestHandler(configuration, beans, log);
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 50);
        server.createContext("/jolokia", exchange -> answer(handler, exchange));
        server.start();
        System.out.println(server.getAddress().getPort());
    }

    private static void answer(HttpRequestHandler handler, HttpExchange exchange) throws java.io.IOException {
        Object json;
        String uri = exchange.getRequestURI().toString();
        try {
            Map<String, String[]> parameters = parameters(exchange.getRequestURI().getRawQuery());
            String path = exchange.getRequestURI().getPath().substring("/jolokia".length());
            json = exchange.getRequestMethod().equals("POST")
                ? handler.handlePostRequest(uri, exchange.getRequestBody(), "UTF-8", parameters)
                : handler.handleGetRequest(uri, path, parameters);
        } catch (Throwable thrown) {
            json = handler.handleThrowable(thrown);
        }
        byte[] body = json.toString().getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(200, body.length);
        exchange.getResponseBody().write(body);
        exchange.close();
    }

    private static Map<String, String[]> parameters(String query) {
        Map<String, String[]> found = new HashMap<>();
        for (String pair : query == null ? new String[0] : query.split("&")) {
            int equals = pair.indexOf('=');
            String name = URLDecoder.decode(pair.substring(0, equals), StandardCharsets.UTF_8);
            found.put(name, new String[] {URLDecoder.decode(pair.substring(equals + 1), StandardCharsets.UTF_8)});
        }
        return found;
    }
}
