"""Descriptors of the JDK's classes with which JMX clients are answered, from their serialised forms (JDK 17).

RMI's streams carry an annotation behind each descriptor, which may name a place to load code from; ours is always null.
"""

from __future__ import annotations

from functools import cache

from catalina.tribes.io.java.descriptors import SERIALIZABLE, WRITE_METHOD, describe
from catalina.tribes.io.java.nodes import ClassDesc

__all__ = ["java_class", "lineage"]

_STRING = "Ljava/lang/String;"
_INFO = "[Ljavax/management/MBean"

#: Name -> serialVersionUID, superclass or "", flags, fields.
_TABLE: dict[str, tuple[int, str, int, str]] = {
    "[B": (-5984413125824719648, "", SERIALIZABLE, ""),
    "[J": (8655923659555304851, "", SERIALIZABLE, ""),
    "[Ljava.lang.Integer;": (-101421563860753893, "", SERIALIZABLE, ""),
    "[Ljava.lang.String;": (-5921575005990323385, "", SERIALIZABLE, ""),
    "[Ljavax.management.MBeanAttributeInfo;": (4321019968077824321, "", SERIALIZABLE, ""),
    "[Ljavax.management.MBeanConstructorInfo;": (-5424372952189953547, "", SERIALIZABLE, ""),
    "[Ljavax.management.MBeanNotificationInfo;": (-8825277981800410961, "", SERIALIZABLE, ""),
    "[Ljavax.management.MBeanOperationInfo;": (-8714627307087638645, "", SERIALIZABLE, ""),
    "[Ljavax.management.MBeanParameterInfo;": (-3645552615691850186, "", SERIALIZABLE, ""),
    "[Ljavax.management.ObjectName;": (1262009912426809838, "", SERIALIZABLE, ""),
    "[Ljavax.management.openmbean.CompositeData;": (-1529710412985667102, "", SERIALIZABLE, ""),
    "[Ljavax.management.remote.TargetedNotification;": (5854582293262324702, "", SERIALIZABLE, ""),
    # values
    "java.lang.Number": (-8742448824652078965, "", SERIALIZABLE, ""),
    "java.lang.Boolean": (-3665804199014368530, "", SERIALIZABLE, "Z value"),
    "java.lang.Double": (-9172774392245257468, "java.lang.Number", SERIALIZABLE, "D value"),
    "java.lang.Integer": (1360826667806852920, "java.lang.Number", SERIALIZABLE, "I value"),
    "java.lang.Long": (4290774380558885855, "java.lang.Number", SERIALIZABLE, "J value"),
    "java.util.ArrayList": (8683452581122892189, "", WRITE_METHOD, "I size"),
    "java.util.HashMap": (362498820763181265, "", WRITE_METHOD, "F loadFactor, I threshold"),
    "java.util.HashSet": (-5024744406713321676, "", WRITE_METHOD, ""),
    "java.util.TreeMap": (919286545866124006, "", WRITE_METHOD, "Ljava/util/Comparator; comparator"),
    # throwables
    "java.lang.Throwable": (
        -3042686055658047285,
        "",
        WRITE_METHOD,
        f"Ljava/lang/Throwable; cause, {_STRING} detailMessage, [Ljava/lang/StackTraceElement; stackTrace, "
        "Ljava/util/List; suppressedExceptions",
    ),
    "java.lang.Exception": (-3387516993124229948, "java.lang.Throwable", SERIALIZABLE, ""),
    "java.lang.RuntimeException": (-7034897190745766939, "java.lang.Exception", SERIALIZABLE, ""),
    "java.lang.ReflectiveOperationException": (123456789, "java.lang.Exception", SERIALIZABLE, ""),
    "java.lang.NoSuchMethodException": (
        5034388446362600923,
        "java.lang.ReflectiveOperationException",
        SERIALIZABLE,
        "",
    ),
    "java.lang.IllegalArgumentException": (-5365630128856068164, "java.lang.RuntimeException", SERIALIZABLE, ""),
    "java.lang.SecurityException": (6878364983674394167, "java.lang.RuntimeException", SERIALIZABLE, ""),
    "java.lang.UnsupportedOperationException": (-1242599979055084673, "java.lang.RuntimeException", SERIALIZABLE, ""),
    "java.io.IOException": (7818375828146090155, "java.lang.Exception", SERIALIZABLE, ""),
    "java.rmi.RemoteException": (
        -5148567311918794206,
        "java.io.IOException",
        SERIALIZABLE,
        "Ljava/lang/Throwable; detail",
    ),
    "java.rmi.AccessException": (6314925228044966088, "java.rmi.RemoteException", SERIALIZABLE, ""),
    "java.rmi.NoSuchObjectException": (6619395951570472985, "java.rmi.RemoteException", SERIALIZABLE, ""),
    "java.rmi.ServerException": (-4775845313121906682, "java.rmi.RemoteException", SERIALIZABLE, ""),
    "java.rmi.UnmarshalException": (594380845140740218, "java.rmi.RemoteException", SERIALIZABLE, ""),
    "java.rmi.NotBoundException": (-1857741824849069317, "java.lang.Exception", SERIALIZABLE, ""),
    "javax.management.JMException": (350520924977331825, "java.lang.Exception", SERIALIZABLE, ""),
    "javax.management.OperationsException": (-4967597595580536216, "javax.management.JMException", SERIALIZABLE, ""),
    "javax.management.InstanceNotFoundException": (
        -882579438394773049,
        "javax.management.OperationsException",
        SERIALIZABLE,
        "",
    ),
    "javax.management.AttributeNotFoundException": (
        6511584241791106926,
        "javax.management.OperationsException",
        SERIALIZABLE,
        "",
    ),
    "javax.management.InvalidAttributeValueException": (
        2164571879317142449,
        "javax.management.OperationsException",
        SERIALIZABLE,
        "",
    ),
    "javax.management.MalformedObjectNameException": (
        -572689714442915824,
        "javax.management.OperationsException",
        SERIALIZABLE,
        "",
    ),
    "javax.management.ListenerNotFoundException": (
        -7242605822448519061,
        "javax.management.OperationsException",
        SERIALIZABLE,
        "",
    ),
    "javax.management.MBeanException": (
        4066342430588744142,
        "javax.management.JMException",
        SERIALIZABLE,
        "Ljava/lang/Exception; exception",
    ),
    "javax.management.ReflectionException": (
        9170809325636915553,
        "javax.management.JMException",
        SERIALIZABLE,
        "Ljava/lang/Exception; exception",
    ),
    # beans
    "javax.management.ObjectName": (1081892073854801359, "", WRITE_METHOD, ""),
    "javax.management.ObjectInstance": (
        -4099952623687795850,
        "",
        SERIALIZABLE,
        f"{_STRING} className, Ljavax/management/ObjectName; name",
    ),
    "javax.management.Attribute": (
        2484220110589082382,
        "",
        SERIALIZABLE,
        f"{_STRING} name, Ljava/lang/Object; value",
    ),
    "javax.management.AttributeList": (-4077085769279709076, "java.util.ArrayList", SERIALIZABLE, ""),
    "javax.management.MBeanFeatureInfo": (
        3952882688968447265,
        "",
        WRITE_METHOD,
        f"{_STRING} description, {_STRING} name",
    ),
    "javax.management.MBeanAttributeInfo": (
        8644704819898565848,
        "javax.management.MBeanFeatureInfo",
        SERIALIZABLE,
        f"Z is, Z isRead, Z isWrite, {_STRING} attributeType",
    ),
    "javax.management.MBeanParameterInfo": (
        7432616882776782338,
        "javax.management.MBeanFeatureInfo",
        SERIALIZABLE,
        f"{_STRING} type",
    ),
    "javax.management.MBeanOperationInfo": (
        -6178860474881375330,
        "javax.management.MBeanFeatureInfo",
        SERIALIZABLE,
        f"I impact, {_INFO}ParameterInfo; signature, {_STRING} type",
    ),
    "javax.management.MBeanNotificationInfo": (
        -3888371564530107064,
        "javax.management.MBeanFeatureInfo",
        SERIALIZABLE,
        "[Ljava/lang/String; types",
    ),
    "javax.management.MBeanInfo": (
        -6451021435135161911,
        "",
        WRITE_METHOD,
        f"{_INFO}AttributeInfo; attributes, {_STRING} className, {_INFO}ConstructorInfo; constructors, "
        f"{_STRING} description, {_INFO}NotificationInfo; notifications, {_INFO}OperationInfo; operations",
    ),
    # notifications
    "java.util.EventObject": (5516075349620653480, "", SERIALIZABLE, ""),
    "javax.management.Notification": (
        -7516092053498031989,
        "java.util.EventObject",
        WRITE_METHOD,
        f"J sequenceNumber, J timeStamp, {_STRING} message, Ljava/lang/Object; source, {_STRING} type, "
        "Ljava/lang/Object; userData",
    ),
    "javax.management.MBeanServerNotification": (
        2876477500475969677,
        "javax.management.Notification",
        SERIALIZABLE,
        "Ljavax/management/ObjectName; objectName",
    ),
    "javax.management.AttributeChangeNotification": (
        535176054565814134,
        "javax.management.Notification",
        SERIALIZABLE,
        f"{_STRING} attributeName, {_STRING} attributeType, Ljava/lang/Object; newValue, Ljava/lang/Object; oldValue",
    ),
    "javax.management.remote.TargetedNotification": (
        7676132089779300926,
        "",
        SERIALIZABLE,
        "Ljava/lang/Integer; id, Ljavax/management/Notification; notif",
    ),
    "javax.management.remote.NotificationResult": (
        1191800228721395279,
        "",
        SERIALIZABLE,
        "J earliestSequenceNumber, J nextSequenceNumber, "
        "[Ljavax/management/remote/TargetedNotification; targetedNotifications",
    ),
    # open types
    "javax.management.openmbean.OpenType": (
        -9195195325186646468,
        "",
        SERIALIZABLE,
        f"{_STRING} className, {_STRING} description, {_STRING} typeName",
    ),
    "javax.management.openmbean.SimpleType": (
        2215577471957694503,
        "javax.management.openmbean.OpenType",
        SERIALIZABLE,
        "",
    ),
    "javax.management.openmbean.ArrayType": (
        720504429830309770,
        "javax.management.openmbean.OpenType",
        SERIALIZABLE,
        "I dimension, Z primitiveArray, Ljavax/management/openmbean/OpenType; elementType",
    ),
    "javax.management.openmbean.CompositeType": (
        -5366242454346948798,
        "javax.management.openmbean.OpenType",
        SERIALIZABLE,
        "Ljava/util/TreeMap; nameToDescription, Ljava/util/TreeMap; nameToType",
    ),
    "javax.management.openmbean.TabularType": (
        6554071860220659261,
        "javax.management.openmbean.OpenType",
        SERIALIZABLE,
        "Ljava/util/List; indexNames, Ljavax/management/openmbean/CompositeType; rowType",
    ),
    "javax.management.openmbean.CompositeDataSupport": (
        8003518976613702244,
        "",
        SERIALIZABLE,
        "Ljavax/management/openmbean/CompositeType; compositeType, Ljava/util/SortedMap; contents",
    ),
    "javax.management.openmbean.TabularDataSupport": (
        5720150593236309827,
        "",
        SERIALIZABLE,
        "Ljava/util/Map; dataMap, Ljavax/management/openmbean/TabularType; tabularType",
    ),
    # RMI
    "java.rmi.server.RemoteObject": (-3215090123894869218, "", WRITE_METHOD, ""),
    "java.rmi.server.RemoteStub": (-1585587260594494182, "java.rmi.server.RemoteObject", SERIALIZABLE, ""),
    "javax.management.remote.rmi.RMIServerImpl_Stub": (2, "java.rmi.server.RemoteStub", SERIALIZABLE, ""),
    "javax.management.remote.rmi.RMIConnectionImpl_Stub": (2, "java.rmi.server.RemoteStub", SERIALIZABLE, ""),
    "java.rmi.dgc.Lease": (-5713411624328831948, "", SERIALIZABLE, "J value, Ljava/rmi/dgc/VMID; vmid"),
    "javax.rmi.ssl.SslRMIClientSocketFactory": (-8310631444933958385, "", SERIALIZABLE, ""),
}


@cache
def java_class(name: str) -> ClassDesc:
    """The one descriptor of a class, so that a stream that already has it refers to it.

    Raises:
        KeyError: there is no descriptor of that class.
    """
    suid, parent, flags, fields = _TABLE[name]
    made = describe(name, suid, flags, fields, java_class(parent) if parent else None)
    made.annotation.append(None)
    return made


@cache
def lineage(name: str) -> tuple[ClassDesc, ...]:
    """A class and its superclasses, the topmost first, in the order of their parts in a stream."""
    found: list[ClassDesc] = []
    at = java_class(name)
    while True:
        found.insert(0, at)
        if not isinstance(at.super_desc, ClassDesc):
            return tuple(found)
        at = at.super_desc


def is_known(name: str) -> bool:
    """True when there is a descriptor of the class."""
    return name in _TABLE
