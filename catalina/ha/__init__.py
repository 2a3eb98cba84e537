"""High availability: sessions in several nodes, farm deployment, single sign on across the group (Tomcat: ha).

tcp/            SimpleTcpCluster, ReplicationValve
session/        DeltaManager, BackupManager, DeltaSession, JvmRouteBinderValve, and their messages
deploy/         FarmWarDeployer
context/        ReplicatedContext
authenticator/  ClusterSingleSignOn
cluster_listener.py  cluster_message.py    what a cluster hands to whom
"""
