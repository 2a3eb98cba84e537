import jakarta.servlet.Filter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.FilterConfig;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;

/** Leaves its mark on request and response. */
public class MarkFilter implements Filter {
    private String mark;

    @Override
    public void init(FilterConfig config) {
        mark = config.getInitParameter("mark");
    }

    @Override
    public void doFilter(ServletRequest request, ServletResponse response, FilterChain chain)
            throws IOException, ServletException {
        Object before = request.getAttribute("filters");
        request.setAttribute("filters", before == null ? mark : before + "," + mark);
        ((HttpServletResponse) response).addHeader("X-Filter", mark);
        chain.doFilter(request, response);
    }
}
