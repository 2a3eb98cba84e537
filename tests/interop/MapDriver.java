import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.Serializable;
import java.util.Set;
import java.util.TreeSet;

import org.apache.catalina.tribes.Member;
import org.apache.catalina.tribes.group.GroupChannel;
import org.apache.catalina.tribes.group.Response;
import org.apache.catalina.tribes.group.RpcCallback;
import org.apache.catalina.tribes.group.RpcChannel;
import org.apache.catalina.tribes.group.interceptors.MessageDispatchInterceptor;
import org.apache.catalina.tribes.group.interceptors.TcpFailureDetector;
import org.apache.catalina.tribes.membership.McastService;
import org.apache.catalina.tribes.tipis.AbstractReplicatedMap;
import org.apache.catalina.tribes.tipis.LazyReplicatedMap;
import org.apache.catalina.tribes.tipis.ReplicatedMap;
import org.apache.catalina.tribes.transport.ReplicationTransmitter;
import org.apache.catalina.tribes.transport.nio.NioReceiver;
import org.apache.catalina.tribes.transport.nio.PooledParallelSender;

/** A replicated map and an RPC channel of the real Tomcat, led by lines on standard input. Arguments: port, mcast port. */
public class MapDriver implements AbstractReplicatedMap.MapOwner, RpcCallback {

    public static void main(String[] arguments) throws Exception {
        PrintStream out = System.out;
        GroupChannel channel = new GroupChannel();
        NioReceiver receiver = new NioReceiver();
        receiver.setAddress("127.0.0.1");
        receiver.setPort(Integer.parseInt(arguments[0]));
        channel.setChannelReceiver(receiver);
        ReplicationTransmitter transmitter = new ReplicationTransmitter();
        transmitter.setTransport(new PooledParallelSender());
        channel.setChannelSender(transmitter);
        McastService membership = new McastService();
        membership.setAddress("228.0.0.4");
        membership.setPort(Integer.parseInt(arguments[1]));
        membership.setBind("127.0.0.1");
        membership.setFrequency(100);
        membership.setDropTime(2000);
        channel.setMembershipService(membership);
        channel.addInterceptor(new TcpFailureDetector());
        channel.addInterceptor(new MessageDispatchInterceptor());
        channel.start(15);
        MapDriver driver = new MapDriver();
        RpcChannel rpc = new RpcChannel("rpc".getBytes("ISO-8859-1"), channel, driver);
        AbstractReplicatedMap<String, Object> map = null;
        out.println("started");
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] words = line.split(" ");
            try {
                switch (words[0]) {
                    case "copies": {
                        ReplicatedMap<String, Object> made =
                            new ReplicatedMap<>(driver, channel, 5000, words[1], new ClassLoader[0]);
                        made.setChannelSendOptions(6);
                        map = made;
                        out.println("map " + made.size());
                        break;
                    }
                    case "lazy": {
                        LazyReplicatedMap<String, Object> made =
                            new LazyReplicatedMap<>(driver, channel, 5000, words[1], new ClassLoader[0]);
                        made.setChannelSendOptions(6);
                        map = made;
                        out.println("map " + made.size());
                        break;
                    }
                    case "put":
                        map.put(words[1], words[2]);
                        out.println("put");
                        break;
                    case "get":
                        out.println("value " + map.get(words[1]));
                        break;
                    case "remove":
                        map.remove(words[1]);
                        out.println("removed");
                        break;
                    case "keys": {
                        Set<Object> keys = new TreeSet<>();
                        for (Object key : map.keySetFull()) {
                            keys.add(key);
                        }
                        out.println("keys " + keys);
                        break;
                    }
                    case "members":
                        out.println("members " + channel.getMembers().length);
                        break;
                    case "ask": {
                        Response[] answers = rpc.send(channel.getMembers(), words[1], RpcChannel.ALL_REPLY, 2, 5000);
                        StringBuilder text = new StringBuilder("answers " + answers.length);
                        for (Response answer : answers) {
                            text.append(' ').append(answer.getMessage());
                        }
                        out.println(text);
                        break;
                    }
                    case "askother": {
                        RpcChannel other = new RpcChannel("nobody".getBytes("ISO-8859-1"), channel, driver);
                        long began = System.currentTimeMillis();
                        Response[] answers = other.send(channel.getMembers(), words[1], RpcChannel.ALL_REPLY, 2, 10000);
                        out.println("nobody " + answers.length + " " + (System.currentTimeMillis() - began < 5000));
                        other.breakdown();
                        break;
                    }
                    case "stop":
                        if (map != null) {
                            map.breakdown();
                        }
                        channel.stop(15);
                        out.println("stopped");
                        System.exit(0);
                        break;
                    default:
                        out.println("failed unknown " + line);
                }
            } catch (Throwable problem) {
                out.println("failed " + problem);
            }
        }
    }

    @Override
    public void objectMadePrimary(Object key, Object value) {
    }

    @Override
    public Serializable replyRequest(Serializable message, Member sender) {
        return "java:" + message;
    }

    @Override
    public void leftOver(Serializable message, Member sender) {
    }
}
