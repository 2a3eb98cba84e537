import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.text.SimpleDateFormat;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.TimeZone;
import java.util.regex.Pattern;
import org.apache.tomcat.util.descriptor.web.WebXml;
import org.apache.tomcat.util.net.openssl.ciphers.Cipher;

/**
 * What the JDK and Tomcat make of what operators write. One question a line, its words percent-encoded; one answer each.
 *
 * <pre>
 * regex pattern text text ...      -> "refused", or a 0 or 1 for each text: whether it matches as a whole
 * date pattern milliseconds zone locale   -> "refused", or the date
 * ciphers                                 -> name=OpenSSL's name, of all suites
 * fragments name<before,before>after,after ...   ("*" for others) -> "refused", or the names in order
 * </pre>
 */
public class SyntaxDriver {

    public static void main(String[] args) throws Exception {
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        String line;
        while ((line = in.readLine()) != null) {
            String[] words = line.split(" ", -1);
            for (int i = 0; i < words.length; i++) {
                words[i] = URLDecoder.decode(words[i], StandardCharsets.UTF_8);
            }
            String answer;
            try {
                answer = answer(words);
            } catch (IllegalArgumentException | StackOverflowError e) {
                answer = "refused";
            }
            out.println(answer);
        }
        out.flush();
    }

    private static String answer(String[] words) {
        switch (words[0]) {
            case "regex":
                return matches(words);
            case "date":
                SimpleDateFormat format = new SimpleDateFormat(words[1], Locale.forLanguageTag(words[4]));
                format.setTimeZone(TimeZone.getTimeZone(words[3]));
                return format.format(new Date(Long.parseLong(words[2])));
            case "ciphers":
                return ciphers();
            default:
                return order(words);
        }
    }

    private static String ciphers() {
        StringBuilder pairs = new StringBuilder();
        for (Cipher cipher : Cipher.values()) {
            for (String name : cipher.getJsseNames()) {
                pairs.append(pairs.length() == 0 ? "" : " ").append(name).append('=').append(cipher.getOpenSSLAlias());
            }
        }
        return pairs.toString();
    }

    private static String matches(String[] words) {
        Pattern pattern = Pattern.compile(words[1]);
        StringBuilder result = new StringBuilder();
        for (int i = 2; i < words.length; i++) {
            result.append(pattern.matcher(words[i]).matches() ? '1' : '0');
        }
        return result.toString();
    }

    private static String order(String[] words) {
        Map<String, WebXml> fragments = new LinkedHashMap<>();
        for (int i = 1; i < words.length; i++) {
            String word = words[i];
            WebXml fragment = new WebXml();
            fragment.setName(word.substring(0, word.indexOf('<')));
            fragment.setWebappJar(true);
            for (String before : word.substring(word.indexOf('<') + 1, word.indexOf('>')).split(",")) {
                if (before.equals("*")) {
                    fragment.addBeforeOrderingOthers();
                } else if (!before.isEmpty()) {
                    fragment.addBeforeOrdering(before);
                }
            }
            for (String after : word.substring(word.indexOf('>') + 1).split(",")) {
                if (after.equals("*")) {
                    fragment.addAfterOrderingOthers();
                } else if (!after.isEmpty()) {
                    fragment.addAfterOrdering(after);
                }
            }
            fragments.put(fragment.getName(), fragment);
        }
        StringBuilder names = new StringBuilder();
        for (WebXml fragment : WebXml.orderWebFragments(new WebXml(), fragments, null)) {
            names.append(names.length() == 0 ? "" : " ").append(fragment.getName());
        }
        return names.toString();
    }
}
