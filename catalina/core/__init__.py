# standard_server > standard_service > standard_engine > standard_host > standard_context > standard_wrapper: the
# containers; *_valve: the last valve of each one's pipeline; container_base and standard_pipeline: their common parts;
# application_*: an application's view of its context and filters, and its dispatches to other resources.
