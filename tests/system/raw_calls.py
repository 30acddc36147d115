"""The methods of the service as gRPC has them, without the client of the package."""

from __future__ import annotations

from typing import Any

import grpc
from google.protobuf.message import Message
from inkstream.v1 import dataset_pb2, service_pb2

SERVICE = "/inkstream.v1.DrawingService/"


class RawCalls:
    """Of one channel; each method takes a message, `UploadKeys` an iterator of them."""

    def __init__(self, channel: grpc.Channel) -> None:
        self.GetStatus = self._unary(channel, "GetStatus", dataset_pb2.GetStatusResponse)
        self.DescribeDataset = self._unary(
            channel, "DescribeDataset", dataset_pb2.DescribeDatasetResponse
        )
        self.UploadKeys = channel.stream_unary(
            SERVICE + "UploadKeys",
            request_serializer=_bytes_of,
            response_deserializer=service_pb2.UploadKeysResponse.FromString,
        )

    @staticmethod
    def _unary(channel: grpc.Channel, method: str, answer: type[Message]) -> Any:
        return channel.unary_unary(
            SERVICE + method,
            request_serializer=_bytes_of,
            response_deserializer=answer.FromString,
        )


def _bytes_of(message: Message) -> bytes:
    return message.SerializeToString()
