# standard_server > standard_service > standard_engine > standard_host > standard_context > standard_wrapper: the
# containers; *_valve: the last valve of each one's pipeline; container_base and standard_pipeline: what they share;
# application_*: what an application sees of its context, its filters, a dispatch to another resource.
