import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.Serializable;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;

import org.apache.catalina.tribes.ByteMessage;
import org.apache.catalina.tribes.ChannelException;
import org.apache.catalina.tribes.ChannelInterceptor;
import org.apache.catalina.tribes.ChannelListener;
import org.apache.catalina.tribes.Member;
import org.apache.catalina.tribes.MembershipListener;
import org.apache.catalina.tribes.group.GroupChannel;
import org.apache.catalina.tribes.group.interceptors.*;
import org.apache.catalina.tribes.membership.McastService;
import org.apache.catalina.tribes.membership.StaticMember;
import org.apache.catalina.tribes.membership.StaticMembershipService;
import org.apache.catalina.tribes.transport.ReplicationTransmitter;
import org.apache.catalina.tribes.transport.nio.NioReceiver;
import org.apache.catalina.tribes.transport.nio.PooledParallelSender;

/**
 * A Tribes channel of the real Tomcat that is led by lines on standard input and tells what happens on standard output.
 *
 * Arguments: name=value pairs. host=ADDRESS, mcast=PORT, port=PORT, udp=PORT, frequency=MS, drop=MS, domain=TEXT, level=N,
 * interceptors=a,b:argument,c (uppermost first), static=PORT/UNIQUEID;PORT/UNIQUEID, local=UNIQUEID, service=static,
 * name=TEXT.
 */
public class TribesDriver implements ChannelListener, MembershipListener {

    static final PrintStream OUT = System.out;
    static final AtomicLong RECEIVED = new AtomicLong();
    static volatile boolean quiet = false;
    static volatile boolean fail = false;

    final GroupChannel channel = new GroupChannel();
    final Map<String, ChannelInterceptor> interceptors = new LinkedHashMap<>();

    public static void main(String[] arguments) throws Exception {
        Map<String, String> options = new LinkedHashMap<>();
        for (String argument : arguments) {
            int at = argument.indexOf('=');
            options.put(argument.substring(0, at), argument.substring(at + 1));
        }
        new TribesDriver().run(options);
    }

    void run(Map<String, String> options) throws Exception {
        int frequency = Integer.parseInt(options.getOrDefault("frequency", "100"));
        NioReceiver receiver = new NioReceiver();
        receiver.setAddress(options.getOrDefault("host", "127.0.0.1"));
        receiver.setPort(Integer.parseInt(options.getOrDefault("port", "4000")));
        receiver.setAutoBind(1);
        if (options.containsKey("udp")) {
            receiver.setUdpPort(Integer.parseInt(options.get("udp")));
        }
        channel.setChannelReceiver(receiver);
        ReplicationTransmitter transmitter = new ReplicationTransmitter();
        transmitter.setTransport(new PooledParallelSender());
        channel.setChannelSender(transmitter);
        if (options.containsKey("name")) {
            channel.setName(options.get("name"));
        }
        if ("static".equals(options.get("service"))) {
            StaticMembershipService service = new StaticMembershipService();
            StaticMember local = new StaticMember();
            local.setUniqueId(options.get("local"));
            service.setLocalMember(local);
            for (String each : options.getOrDefault("static", "").split(";")) {
                service.addStaticMember(staticMember(each));
            }
            channel.setMembershipService(service);
        } else {
            McastService membership = new McastService();
            membership.setAddress("228.0.0.4");
            membership.setPort(Integer.parseInt(options.getOrDefault("mcast", "45564")));
            membership.setBind(options.getOrDefault("host", "127.0.0.1"));
            membership.setFrequency(frequency);
            membership.setDropTime(Long.parseLong(options.getOrDefault("drop", "3000")));
            if (options.containsKey("domain")) {
                membership.setDomain(options.get("domain"));
            }
            channel.setMembershipService(membership);
        }
        if (options.containsKey("heartbeat")) {
            channel.setHeartbeatSleeptime(Long.parseLong(options.get("heartbeat")));
        }
        for (String text : options.getOrDefault("interceptors", "dispatch,tfd").split(",")) {
            addInterceptor(text, options);
        }
        channel.addChannelListener(this);
        channel.addMembershipListener(this);
        channel.start(Integer.parseInt(options.getOrDefault("level", "15")));
        OUT.println("started " + describe(channel.getLocalMember(false)));
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String answer;
            try {
                answer = obey(line.trim().split(" "));
            } catch (ChannelException e) {
                answer = "failed " + (e.getFaultyMembers().length > 0 ? e.getFaultyMembers()[0].getCause() : e);
            }
            OUT.println(answer);
            if (line.startsWith("stop")) {
                break;
            }
        }
        System.exit(0);
    }

    static StaticMember staticMember(String text) throws Exception {
        String[] parts = text.split("/");
        StaticMember member = new StaticMember("127.0.0.1", Integer.parseInt(parts[0]), 0);
        if (parts.length > 1) {
            member.setUniqueId(parts[1].replace('_', ','));
        }
        return member;
    }

    void addInterceptor(String text, Map<String, String> options) throws Exception {
        String[] parts = text.split(":");
        String argument = parts.length > 1 ? parts[1] : null;
        ChannelInterceptor made;
        switch (parts[0]) {
            case "dispatch": made = new MessageDispatchInterceptor(); break;
            case "tfd": made = new TcpFailureDetector(); break;
            case "throughput": made = new ThroughputInterceptor(); break;
            case "gzip": {
                GzipInterceptor gzip = new GzipInterceptor();
                gzip.setCompressionMinSize(argument == null ? 0 : Integer.parseInt(argument));
                made = gzip;
                break;
            }
            case "fragmentation": {
                FragmentationInterceptor fragmentation = new FragmentationInterceptor();
                fragmentation.setMaxSize(Integer.parseInt(argument));
                made = fragmentation;
                break;
            }
            case "order": made = new OrderInterceptor(); break;
            case "commit": made = new TwoPhaseCommitInterceptor(); break;
            case "ping": made = new TcpPingInterceptor(); break;
            case "coordinator": made = new NonBlockingCoordinator(); break;
            case "simple": made = new SimpleCoordinator(); break;
            case "domain": {
                DomainFilterInterceptor filter = new DomainFilterInterceptor();
                filter.setDomain(argument);
                made = filter;
                break;
            }
            case "encrypt": {
                EncryptInterceptor encrypt = new EncryptInterceptor();
                encrypt.setEncryptionKey(argument);
                if (parts.length > 2) {
                    encrypt.setEncryptionAlgorithm(parts[2]);
                }
                made = encrypt;
                break;
            }
            case "static": {
                StaticMembershipInterceptor membership = new StaticMembershipInterceptor();
                for (String each : options.get("static").split(";")) {
                    membership.addStaticMember(staticMember(each));
                }
                if (options.containsKey("local")) {
                    StaticMember local = new StaticMember();
                    local.setUniqueId(options.get("local"));
                    membership.setLocalMember(local);
                }
                made = membership;
                break;
            }
            default: throw new IllegalArgumentException(text);
        }
        interceptors.put(parts[0], made);
        channel.addInterceptor(made);
    }

    String obey(String[] words) throws Exception {
        switch (words[0]) {
            case "send":
                channel.send(channel.getMembers(), bytes(words[2]), Integer.parseInt(words[1]));
                return "sent";
            case "sendtext":
                channel.send(channel.getMembers(), words[2], Integer.parseInt(words[1]));
                return "sent";
            case "flood": {
                // flood OPTIONS COUNT SIZE [THREADS]: how fast messages can be sent
                int options = Integer.parseInt(words[1]);
                int count = Integer.parseInt(words[2]);
                int size = Integer.parseInt(words[3]);
                int threads = words.length > 4 ? Integer.parseInt(words[4]) : 1;
                return "flooded " + flood(options, count, size, threads);
            }
            case "members": {
                StringBuilder line = new StringBuilder("members");
                for (Member member : channel.getMembers()) {
                    line.append(' ').append(describe(member));
                }
                return line.toString();
            }
            case "received":
                return "received " + RECEIVED.getAndSet(0);
            case "quiet":
                quiet = true;
                return "quiet";
            case "fail":
                fail = Boolean.parseBoolean(words[1]);
                return "fail";
            case "leader": {
                ChannelInterceptor coordinator = interceptors.get("coordinator");
                Member leader = coordinator != null ? ((NonBlockingCoordinator) coordinator).getCoordinator()
                        : ((SimpleCoordinator) interceptors.get("simple")).getCoordinator();
                return "leader " + (leader == null ? "none" : describe(leader));
            }
            case "stop":
                channel.stop(Integer.parseInt(words.length > 1 ? words[1] : "15"));
                return "stopped";
            default:
                return "what";
        }
    }

    long flood(int options, int count, int size, int threads) throws Exception {
        Member[] members = channel.getMembers();
        AtomicLong left = new AtomicLong(count);
        Thread[] senders = new Thread[threads];
        long start = System.nanoTime();
        for (int i = 0; i < threads; i++) {
            senders[i] = new Thread(() -> {
                ByteMessage message = new ByteMessage(new byte[size]);
                while (left.getAndDecrement() > 0) {
                    try {
                        channel.send(members, message, options);
                    } catch (ChannelException e) {
                        System.err.println(e);
                    }
                }
            });
            senders[i].start();
        }
        for (Thread sender : senders) {
            sender.join();
        }
        return System.nanoTime() - start;
    }

    static Serializable bytes(String hex) {
        return new ByteMessage(HexFormat.of().parseHex(hex));
    }

    static String describe(Member member) {
        return member.getPort() + "/" + HexFormat.of().formatHex(member.getUniqueId());
    }

    @Override
    public boolean accept(Serializable message, Member sender) {
        return true;
    }

    @Override
    public void messageReceived(Serializable message, Member sender) {
        RECEIVED.incrementAndGet();
        if (!quiet) {
            if (message instanceof ByteMessage) {
                OUT.println("bytes " + sender.getPort() + " "
                        + HexFormat.of().formatHex(((ByteMessage) message).getMessage()));
            } else {
                OUT.println("object " + sender.getPort() + " " + message.getClass().getName() + " " + message);
            }
        }
        if (fail) {
            throw new IllegalStateException("told to fail");
        }
    }

    @Override
    public void memberAdded(Member member) {
        OUT.println("added " + describe(member));
    }

    @Override
    public void memberDisappeared(Member member) {
        OUT.println("gone " + describe(member));
    }
}
