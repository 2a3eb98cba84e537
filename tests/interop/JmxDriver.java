import java.lang.management.*;
import java.util.*;
import java.util.concurrent.*;
import javax.management.*;
import javax.management.openmbean.*;
import javax.management.remote.*;

/** Asks a JMX server everything that a client of the JDK can ask, and prints one line for each answer. */
public class JmxDriver {
    static void say(String key, Object value) {
        System.out.println(key + "=" + String.valueOf(value).replace("\n", "\\n"));
    }

    interface Asked {
        Object ask() throws Exception;
    }

    static void tell(String key, Asked asked) {
        try {
            say(key, asked.ask());
        } catch (Throwable thrown) {
            Throwable cause = thrown.getCause();
            say(key, "! " + thrown.getClass().getName() + ": " + thrown.getMessage()
                + (cause == null ? "" : " <- " + cause.getClass().getName() + ": " + cause.getMessage()));
        }
    }

    public static void main(String[] args) throws Exception {
        Map<String, Object> environment = new HashMap<>();
        if (args.length > 2) {
            environment.put(JMXConnector.CREDENTIALS, new String[] {args[1], args[2]});
        }
        if (Boolean.getBoolean("registry.ssl")) {
            environment.put("com.sun.jndi.rmi.factory.socket", new javax.rmi.ssl.SslRMIClientSocketFactory());
        }
        JMXConnector connector;
        try {
            connector = JMXConnectorFactory.connect(new JMXServiceURL(args[0]), environment);
        } catch (Throwable thrown) {
            Throwable root = thrown;
            while (root.getCause() != null) {
                root = root.getCause();
            }
            say("connect", "! " + thrown.getClass().getName() + ": " + thrown.getMessage() + " <- "
                + root.getClass().getSimpleName());
            return;
        }
        say("id", connector.getConnectionId().replaceAll("[0-9]+$", "N"));
        MBeanServerConnection server = connector.getMBeanServerConnection();
        if (System.getProperty("bean") != null) {
            one(server, new ObjectName(System.getProperty("bean")), System.getProperty("attribute"), System.getProperty("truth"),
                System.getProperty("operation"));
            connector.close();
            return;
        }
        ObjectName pool = new ObjectName("d:type=Pool,name=\"a,b\"");
        ObjectName none = new ObjectName("d:type=None");
        tell("defaultDomain", server::getDefaultDomain);
        tell("domains", () -> Arrays.toString(server.getDomains()));
        tell("count", server::getMBeanCount);
        tell("names", () -> new TreeSet<>(server.queryNames(new ObjectName("d:*"), null)));
        tell("all", () -> server.queryNames(null, null).size());
        tell("query", () -> server.queryNames(null, Query.eq(Query.attr("a"), Query.value(1))));
        tell("instances", () -> server.queryMBeans(pool, null).iterator().next().getClassName());
        tell("registered", () -> server.isRegistered(pool) + " " + server.isRegistered(none));
        tell("instanceOf", () -> server.isInstanceOf(new ObjectName("java.lang:type=Memory"), "java.lang.management.MemoryMXBean")
            + " " + server.isInstanceOf(pool, "java.lang.management.MemoryMXBean"));
        if (server.isRegistered(pool)) {
            pool(server, pool, none);
        }
        platform(server);
        if (args.length > 3) {
            BlockingQueue<Notification> registrations = new LinkedBlockingQueue<>();
            server.addNotificationListener(MBeanServerDelegate.DELEGATE_NAME, (n, h) -> registrations.add(n), null, null);
            server.invoke(pool, "come", null, null);
            tell("registration", () -> {
                MBeanServerNotification one = (MBeanServerNotification) registrations.poll(20, TimeUnit.SECONDS);
                return one == null ? null : one.getType() + " " + one.getMBeanName();
            });
        }
        connector.close();
        say("closed", "ok");
    }

    /** Sets one attribute to a boolean, or calls an operation without parameters, and tells an attribute. */
    static void one(MBeanServerConnection server, ObjectName bean, String attribute, String truth, String operation) {
        if (truth != null) {
            tell("set", () -> {
                server.setAttribute(bean, new Attribute(attribute, Boolean.valueOf(truth)));
                return "ok";
            });
        }
        if (operation != null) {
            tell("invoke", () -> server.invoke(bean, operation, null, null));
        }
        tell("get", () -> server.getAttribute(bean, attribute));
    }

    static boolean isSet;

    static void pool(MBeanServerConnection server, ObjectName pool, ObjectName none) throws Exception {
        MBeanInfo info = server.getMBeanInfo(pool);
        say("info.class", info.getClassName());
        say("info.description", info.getDescription());
        for (MBeanAttributeInfo attribute : info.getAttributes()) {
            say("attribute." + attribute.getName(), attribute.getType() + " " + attribute.isReadable() + " "
                + attribute.isWritable() + " " + attribute.getDescription());
        }
        for (MBeanOperationInfo operation : info.getOperations()) {
            StringBuilder text = new StringBuilder(operation.getReturnType() + " " + operation.getImpact());
            for (MBeanParameterInfo parameter : operation.getSignature()) {
                text.append(" ").append(parameter.getType()).append(":").append(parameter.getName()).append(":")
                    .append(parameter.getDescription());
            }
            say("operation." + operation.getName() + "." + operation.getSignature().length, text);
        }
        for (MBeanNotificationInfo notification : info.getNotifications()) {
            say("notification", notification.getName() + " " + Arrays.toString(notification.getNotifTypes()));
        }
        for (String name : new String[] {"size", "big", "load", "open", "label", "names", "ids", "where", "usage", "broken", "nope"}) {
            tell("get." + name, () -> {
                Object value = server.getAttribute(pool, name);
                String type = value == null ? "null" : value.getClass().getName();
                return type + " " + (value instanceof Object[] ? Arrays.toString((Object[]) value)
                    : value instanceof long[] ? Arrays.toString((long[]) value)
                    : value instanceof CompositeData ? ((CompositeData) value).get("used") : value);
            });
        }
        tell("get.none", () -> server.getAttribute(none, "size"));
        tell("several", () -> {
            StringBuilder text = new StringBuilder();
            for (Object attribute : server.getAttributes(pool, new String[] {"size", "nope", "load"})) {
                text.append(attribute).append(";");
            }
            return text;
        });
        BlockingQueue<Notification> heard = new LinkedBlockingQueue<>();
        NotificationFilterSupport filter = new NotificationFilterSupport();
        filter.enableType(AttributeChangeNotification.ATTRIBUTE_CHANGE);
        NotificationListener listener = (notification, handback) -> heard.add(notification);
        tell("listen", () -> {
            server.addNotificationListener(pool, listener, filter, null);
            return "ok";
        });
        tell("set", () -> {
            server.setAttribute(pool, new Attribute("size", 7));
            isSet = true;
            return server.getAttribute(pool, "size");
        });
        tell("heard", () -> {
            AttributeChangeNotification one = (AttributeChangeNotification) heard.poll(isSet ? 20 : 0, TimeUnit.SECONDS);
            return one == null ? null : one.getSource() + " " + one.getAttributeName() + " " + one.getAttributeType() + " "
                + one.getOldValue() + " " + one.getNewValue();
        });
        tell("unlisten", () -> {
            server.removeNotificationListener(pool, listener);
            return "ok";
        });
        tell("set.text", () -> {
            server.setAttribute(pool, new Attribute("size", "many"));
            return "ok";
        });
        tell("set.readOnly", () -> {
            server.setAttribute(pool, new Attribute("load", 1.0));
            return "ok";
        });
        tell("setSeveral", () -> {
            AttributeList list = new AttributeList();
            list.add(new Attribute("size", 9));
            list.add(new Attribute("load", 1.0));
            return server.setAttributes(pool, list);
        });
        tell("invoke", () -> server.invoke(pool, "add", new Object[] {2, 3L}, new String[] {"int", "long"}));
        tell("invoke.void", () -> server.invoke(pool, "drop", null, null));
        tell("invoke.fails", () -> server.invoke(pool, "fail", null, null));
        tell("invoke.signature", () -> server.invoke(pool, "add", new Object[] {2, 3}, new String[] {"int", "int"}));
        tell("invoke.none", () -> server.invoke(pool, "nope", null, null));
        tell("invoke.getter", () -> server.invoke(pool, "getSize", null, null));
        tell("create", () -> server.createMBean("javax.management.loading.MLet", new ObjectName("d:type=MLet")));
        tell("unregister", () -> {
            server.unregisterMBean(pool);
            return "ok";
        });
    }

    static void platform(MBeanServerConnection server) throws Exception {
        tell("memory", () -> {
            MemoryUsage usage = ManagementFactory.newPlatformMXBeanProxy(server, ManagementFactory.MEMORY_MXBEAN_NAME, MemoryMXBean.class).getHeapMemoryUsage();
            return usage.getUsed() > 0 && usage.getCommitted() >= usage.getUsed();
        });
        tell("threads", () -> {
            ThreadMXBean threads = ManagementFactory.newPlatformMXBeanProxy(server, ManagementFactory.THREAD_MXBEAN_NAME, ThreadMXBean.class);
            ThreadInfo[] infos = threads.getThreadInfo(threads.getAllThreadIds(), 50);
            ThreadInfo[] dumped = threads.dumpAllThreads(false, false);
            return infos.length > 0 && infos[0].getStackTrace().length > 0 && dumped.length > 0 && threads.getThreadCount() > 0;
        });
        tell("runtime", () -> {
            RuntimeMXBean runtime = ManagementFactory.newPlatformMXBeanProxy(server, ManagementFactory.RUNTIME_MXBEAN_NAME, RuntimeMXBean.class);
            return runtime.getVmName() + " " + runtime.getSystemProperties().get("catalina.base") + " " + (runtime.getUptime() >= 0);
        });
        tell("system", () -> {
            com.sun.management.OperatingSystemMXBean system = ManagementFactory.newPlatformMXBeanProxy(server, ManagementFactory.OPERATING_SYSTEM_MXBEAN_NAME, com.sun.management.OperatingSystemMXBean.class);
            return system.getName() + " " + (system.getProcessCpuTime() > 0) + " " + (system.getTotalMemorySize() > 0);
        });
        tell("classes", () -> ManagementFactory.newPlatformMXBeanProxy(server, ManagementFactory.CLASS_LOADING_MXBEAN_NAME, ClassLoadingMXBean.class).getLoadedClassCount() > 0);
        tell("logging", () -> {
            PlatformLoggingMXBean logging = ManagementFactory.newPlatformMXBeanProxy(server, "java.util.logging:type=Logging", PlatformLoggingMXBean.class);
            logging.setLoggerLevel("org.apache.catalina.test.JmxDriver", "FINE");
            return logging.getLoggerLevel("org.apache.catalina.test.JmxDriver");
        });
    }
}
