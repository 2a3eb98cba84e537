import java.io.*;
import java.util.*;
import org.apache.catalina.ha.session.DeltaRequest;

/** Reads lines "kind hex" and answers each with "class|text|hex of the object serialised again", or "ERROR reason". */
public class ObjectDriver {
    public static void main(String[] args) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, "US-ASCII"));
        PrintStream out = new PrintStream(System.out, true, "UTF-8");
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] words = line.split(" ");
            try {
                out.println(words[0].equals("delta") ? delta(bytes(words[1])) : object(bytes(words[1])));
            } catch (Throwable problem) {
                out.println("ERROR " + problem);
            }
        }
    }

    static String object(byte[] data) throws Exception {
        Object value = new ObjectInputStream(new ByteArrayInputStream(data)).readObject();
        ByteArrayOutputStream again = new ByteArrayOutputStream();
        ObjectOutputStream stream = new ObjectOutputStream(again);
        stream.writeObject(value);
        stream.flush();
        String name = value == null ? "null" : value.getClass().getName();
        return name + "|" + hex(text(value).getBytes("UTF-16BE")) + "|" + hex(again.toByteArray());
    }

    static String text(Object value) {
        if (value instanceof byte[]) {
            return hex((byte[]) value);
        }
        return String.valueOf(value);
    }

    static String delta(byte[] data) throws Exception {
        DeltaRequest request = new DeltaRequest("", false);
        request.readExternal(new ObjectInputStream(new ByteArrayInputStream(data)));
        ByteArrayOutputStream again = new ByteArrayOutputStream();
        ObjectOutputStream stream = new ObjectOutputStream(again);
        request.writeExternal(stream);
        stream.flush();
        return "delta|" + hex((request.getSize() + "").getBytes("UTF-16BE")) + "|" + hex(again.toByteArray());
    }

    static byte[] bytes(String hex) {
        byte[] data = new byte[hex.length() / 2];
        for (int i = 0; i < data.length; i++) {
            data[i] = (byte) Integer.parseInt(hex.substring(2 * i, 2 * i + 2), 16);
        }
        return data;
    }

    static String hex(byte[] data) {
        StringBuilder text = new StringBuilder();
        for (byte b : data) {
            text.append(String.format("%02x", b));
        }
        return text.toString();
    }
}
