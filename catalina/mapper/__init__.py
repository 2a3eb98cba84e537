# mapper: host name and path -> host, context, servlet; mapper_listener keeps it in step with the containers.
