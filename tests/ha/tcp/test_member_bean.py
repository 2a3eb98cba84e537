from __future__ import annotations

from catalina.ha.tcp.member_bean import MemberBean
from catalina.mbeans.managed_bean import ManagedBean
from catalina.mbeans.object_name import ObjectName
from catalina.tribes.member import Member

NAME = ObjectName.parse('Catalina:type=Cluster,component=Member,name="tcp://10.0.0.7:4000"')


def test_a_member_tells_what_tomcats_bean_tells() -> None:
    member = Member(bytes((10, 0, 0, 7)), 4000, alive_ms=5000)
    bean = ManagedBean(MemberBean(member, is_local=False, is_silent=True), NAME)
    values = dict(bean.items())
    assert values["name"] == "tcp://10.0.0.7:4000"
    assert (values["hostname"], values["port"], values["securePort"], values["udpPort"]) == ("10.0.0.7", 4000, -1, -1)
    assert (values["local"], values["ready"], values["failing"]) == (False, False, True)
    assert values["memberAliveTime"] == 5000
    assert bean.type_of("memberAliveTime") == "long"
    assert bean.class_name == "org.apache.catalina.tribes.membership.MemberImpl"
