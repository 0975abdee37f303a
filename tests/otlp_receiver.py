"""An OTLP collector that is not ours: grpcio and opentelemetry-proto, nothing of Weir.

Prints `otlp ADDRESS` and `ready`, then one JSON line for each export: {"signal": ..., "export": the message}.
"""

import json
import sys
from concurrent import futures

import grpc
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as logs
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2_grpc as logs_grpc
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as metrics
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2_grpc as metrics_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as trace
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as trace_grpc


def say(signal, message):
    # One write: print would write the line's end by itself, and exports come on several threads.
    sys.stdout.write(json.dumps({"signal": signal, "export": MessageToDict(message)}) + "\n")
    sys.stdout.flush()


class Traces(trace_grpc.TraceServiceServicer):
    def Export(self, request, context):
        say("traces", request)
        return trace.ExportTraceServiceResponse()


class Metrics(metrics_grpc.MetricsServiceServicer):
    def Export(self, request, context):
        say("metrics", request)
        return metrics.ExportMetricsServiceResponse()


class Logs(logs_grpc.LogsServiceServicer):
    def Export(self, request, context):
        say("logs", request)
        return logs.ExportLogsServiceResponse()


def main():
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
    trace_grpc.add_TraceServiceServicer_to_server(Traces(), server)
    metrics_grpc.add_MetricsServiceServicer_to_server(Metrics(), server)
    logs_grpc.add_LogsServiceServicer_to_server(Logs(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(f"otlp 127.0.0.1:{port}\nready", flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    sys.exit(main())
