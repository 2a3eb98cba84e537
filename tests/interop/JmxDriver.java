import java.lang.management.*;
import java.util.*;
import java.util.concurrent.*;
import javax.management.*;
import javax.management.openmbean.*;
import javax.management.relation.MBeanServerNotificationFilter;
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
        if (args.length == 0) {
            queries(reference());
            return;
        }
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
        if (Boolean.getBoolean("queries")) {
            queries(server);
            connector.close();
            return;
        }
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
        tell("query", () -> server.queryNames(null, Query.gt(Query.attr("size"), Query.value(1))));
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
            BlockingQueue<Notification> filtered = new LinkedBlockingQueue<>();
            MBeanServerNotificationFilter others = new MBeanServerNotificationFilter();
            others.enableObjectName(none);
            MBeanServerNotificationFilter came = new MBeanServerNotificationFilter();
            came.enableAllObjectNames();
            came.disableObjectName(none);
            server.addNotificationListener(MBeanServerDelegate.DELEGATE_NAME, (n, h) -> filtered.add(n), others, null);
            server.addNotificationListener(MBeanServerDelegate.DELEGATE_NAME, (n, h) -> filtered.add(n), came, null);
            server.addNotificationListener(MBeanServerDelegate.DELEGATE_NAME, (n, h) -> registrations.add(n), null, null);
            server.invoke(pool, "come", null, null);
            tell("registration", () -> {
                MBeanServerNotification one = (MBeanServerNotification) registrations.poll(20, TimeUnit.SECONDS);
                return one == null ? null : one.getType() + " " + one.getMBeanName();
            });
            tell("registration.filtered", () -> {
                MBeanServerNotification one = (MBeanServerNotification) filtered.poll(20, TimeUnit.SECONDS);
                return (one == null ? null : one.getMBeanName()) + " " + filtered.size();
            });
            BlockingQueue<Notification> changes = new LinkedBlockingQueue<>();
            AttributeChangeNotificationFilter label = new AttributeChangeNotificationFilter();
            label.enableAttribute("label");
            server.addNotificationListener(pool, (n, h) -> changes.add(n), label, null);
            tell("change.filtered", () -> {
                server.setAttribute(pool, new Attribute("size", 11));
                server.setAttribute(pool, new Attribute("label", "new"));
                AttributeChangeNotification one = (AttributeChangeNotification) changes.poll(20, TimeUnit.SECONDS);
                return (one == null ? null : one.getAttributeName()) + " " + changes.size();
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

    /** A query of a class that no server knows. */
    static class Foreign implements QueryExp {
        public boolean apply(ObjectName name) {
            return true;
        }

        public void setMBeanServer(MBeanServer server) {
        }
    }

    static void queries(MBeanServerConnection server) throws Exception {
        ValueExp size = Query.attr("size"), load = Query.attr("load"), open = Query.attr("open");
        AttributeValueExp label = Query.attr("label");
        Map<String, QueryExp> queries = new LinkedHashMap<>();
        queries.put("gt", Query.gt(size, Query.value(3)));
        queries.put("lt", Query.lt(size, Query.value(7L)));
        queries.put("geq", Query.geq(size, Query.value(3)));
        queries.put("leq", Query.leq(load, Query.value(0.25)));
        queries.put("eq", Query.eq(label, Query.value("alpha")));
        queries.put("eq.fraction", Query.eq(size, Query.value(3.9)));
        queries.put("eq.float", Query.eq(load, Query.value(0.25f)));
        queries.put("eq.short", Query.eq(Query.value((Number) Short.valueOf((short) 3)), size));
        queries.put("eq.attributes", Query.eq(size, Query.attr("other")));
        queries.put("eq.kinds", Query.eq(size, Query.value("7")));
        queries.put("eq.nothing", Query.eq(label, Query.attr("label")));
        queries.put("not.kinds", Query.not(Query.eq(size, Query.value("7"))));
        queries.put("big", Query.gt(Query.attr("big"), Query.value(1L << 39)));
        queries.put("boolean", Query.eq(open, Query.value(true)));
        queries.put("boolean.lt", Query.lt(open, Query.value(true)));
        queries.put("text.lt", Query.lt(label, Query.value("am")));
        queries.put("text.units", Query.lt(Query.value("\ud83d\ude00"), Query.value("\uffff")));
        queries.put("between", Query.between(size, Query.value(3), Query.value(6)));
        queries.put("between.text", Query.between(label, Query.value("al*"), Query.value("alpha")));
        queries.put("between.fraction", Query.between(load, Query.value(0), Query.value(1)));
        queries.put("between.boolean", Query.between(open, Query.value(true), Query.value(true)));
        queries.put("in", Query.in(size, new ValueExp[] {Query.value(1), Query.value(7.0)}));
        queries.put("in.text", Query.in(label, new ValueExp[] {Query.value("alpha"), Query.value("beta")}));
        queries.put("in.kinds", Query.in(label, new ValueExp[] {Query.value(1), Query.value("alpha")}));
        queries.put("in.nothing", Query.in(size, new ValueExp[] {}));
        for (String pattern : new String[] {"al*", "*pha*", "?lpha", "[a-c]l*", "[!a-c]l*", "al\\*pha*", "*[[]x]", "[", "alph\\", "*[a-", "**a",
            "[]", "[a-c-z]lpha", "a[l-]pha", "a[-l]pha", "alpha?", ""}) {
            queries.put("match." + pattern, Query.match(label, Query.value(pattern)));
        }
        queries.put("match.number", Query.match(Query.attr("size"), Query.value("*")));
        queries.put("initial", Query.initialSubString(label, Query.value("al*")));
        queries.put("any", Query.anySubString(label, Query.value("[x")));
        queries.put("final", Query.finalSubString(label, Query.value("pha")));
        queries.put("and", Query.and(Query.gt(size, Query.value(1)), Query.eq(open, Query.value(false))));
        queries.put("or", Query.or(Query.eq(size, Query.value(3)), Query.eq(open, Query.value(false))));
        queries.put("or.broken", Query.or(Query.eq(Query.attr("none"), Query.value(3)), Query.eq(size, Query.value(3))));
        queries.put("or.first", Query.or(Query.eq(size, Query.value(3)), Query.eq(Query.attr("none"), Query.value(3))));
        queries.put("not", Query.not(Query.eq(size, Query.value(3))));
        queries.put("plus", Query.eq(Query.plus(size, Query.value(4)), Query.value(7)));
        queries.put("plus.text", Query.eq(Query.plus(label, Query.value("!")), Query.value("alpha!")));
        queries.put("minus.text", Query.eq(Query.minus(label, Query.value("!")), Query.value("alph")));
        queries.put("minus", Query.eq(Query.minus(size, Query.value(10)), Query.value(-7)));
        queries.put("times", Query.eq(Query.times(load, Query.value(4)), Query.value(1)));
        queries.put("times.over", Query.lt(Query.times(Query.attr("big"), Query.value(1L << 23)), Query.value(0)));
        queries.put("div", Query.eq(Query.div(Query.minus(size, Query.value(10)), Query.value(2)), Query.value(-3)));
        queries.put("div.zero", Query.eq(Query.div(size, Query.value(0)), Query.value(0)));
        queries.put("div.zero.fraction", Query.gt(Query.div(load, Query.value(0.0)), Query.value(1e300)));
        queries.put("calculate.boolean", Query.eq(Query.plus(open, open), open));
        queries.put("qualified", Query.eq(Query.attr("org.apache.catalina.mbeans.ContainerMBean", "size"), Query.value(3)));
        queries.put("classattr", Query.eq(Query.classattr(), Query.value("org.apache.catalina.mbeans.ContainerMBean")));
        queries.put("instanceOf", Query.isInstanceOf(Query.value("org.apache.catalina.mbeans.ContainerMBean")));
        queries.put("instanceOf.object", Query.isInstanceOf(Query.value("java.lang.Object")));
        queries.put("instanceOf.none", Query.isInstanceOf(Query.value("q.None")));
        queries.put("name", new ObjectName("q:type=Host,*"));
        queries.put("name.exact", Query.and(new ObjectName("q:name=two,type=Host"), Query.gt(size, Query.value(1))));
        QueryExp many = Query.eq(size, Query.value(0));
        for (int i = 1; i < 100; i++) {
            many = Query.or(many, Query.eq(size, Query.value(i)));
        }
        queries.put("many", many);
        for (Map.Entry<String, QueryExp> each : queries.entrySet()) {
            tell("q." + each.getKey().replace('=', '-'), () -> new TreeSet<>(server.queryNames(new ObjectName("q:*"), each.getValue())));
        }
        tell("q.beans", () -> server.queryMBeans(null, Query.eq(Query.attr("big"), Query.value(1L << 40))).iterator().next());
        tell("foreign", () -> server.queryNames(null, new Foreign()).size());
    }

    /** A bean with any attributes. */
    static class Values implements DynamicMBean {
        final String className;
        final Map<String, Object> values = new LinkedHashMap<>();

        Values(String className, Object... pairs) {
            this.className = className;
            for (int i = 0; i < pairs.length; i += 2) {
                values.put((String) pairs[i], pairs[i + 1]);
            }
        }

        public Object getAttribute(String name) throws AttributeNotFoundException {
            if (!values.containsKey(name)) {
                throw new AttributeNotFoundException(name);
            }
            return values.get(name);
        }

        public AttributeList getAttributes(String[] names) {
            return new AttributeList();
        }

        public void setAttribute(Attribute attribute) {
        }

        public AttributeList setAttributes(AttributeList list) {
            return list;
        }

        public Object invoke(String name, Object[] parameters, String[] signature) {
            return null;
        }

        public MBeanInfo getMBeanInfo() {
            return new MBeanInfo(className, "", null, null, null, null);
        }
    }

    /** A JVM's own server with the beans that the tests' queries are about. */
    static MBeanServer reference() throws Exception {
        MBeanServer made = MBeanServerFactory.newMBeanServer();
        String container = "org.apache.catalina.mbeans.ContainerMBean", plain = "org.apache.tomcat.util.modeler.BaseModelMBean";
        made.registerMBean(new Values(container, "size", 3, "other", 3L, "big", 1L << 40, "load", 0.25, "open", true, "label", "alpha",
            "names", new String[] {"a"}), new ObjectName("q:type=Host,name=one"));
        made.registerMBean(new Values(container, "size", 7, "other", 8L, "load", 2.5, "open", false, "label", "al*pha[x]"),
            new ObjectName("q:type=Host,name=two"));
        made.registerMBean(new Values(plain, "size", "7", "label", null), new ObjectName("q:type=B"));
        made.registerMBean(new Values(plain), new ObjectName("q:type=C"));
        return made;
    }
}
