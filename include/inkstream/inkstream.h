/* The C interface of libinkstream: one StreamBatches call at a time, read ahead
 * by a thread of the library's own. Requests and headers are the contract's own
 * messages (inkstream/v1/service.proto, batch.proto), serialised; going on at a
 * cursor after an error is the caller's.
 *
 * Ownership: what a function returns is the caller's and goes back through the
 * function named with it. Thread safety: ik_stream_read() from one thread at a
 * time, everything else from any. No function may be called in a process that
 * was forked from one that has used the library.
 *
 * Only symbols that begin with ik_ are exported. */
#ifndef INKSTREAM_INKSTREAM_H_
#define INKSTREAM_INKSTREAM_H_

#include <stddef.h>
#include <stdint.h>

#define IK_API __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

/* Raised by one when a program built against an older header would break. */
#define IK_ABI 1
IK_API uint32_t ik_abi(void);

typedef struct ik_channel ik_channel;
typedef struct ik_stream ik_stream;
typedef struct ik_buffer ik_buffer;

/* A connection to one server, made when first used. */
typedef struct {
  const char* target;         /* host:port, dns:///host:port or unix:/path */
  uint32_t max_message_bytes; /* what servers are asked to cut to */
  uint32_t tls;               /* 0: plaintext */
  const char* ca;             /* PEM; null: the system's roots */
  const char* key;            /* PEM; null: no client certificate */
  const char* cert;
} ik_channel_options;

IK_API ik_channel* ik_channel_open(const ik_channel_options* options);
/* Its streams keep the connection until they are closed. */
IK_API void ik_channel_close(ik_channel* channel);

typedef struct {
  const uint8_t* request; /* StreamBatchesRequest, the one that opens */
  size_t request_size;
  const char* const* metadata; /* key, value, key, value, ..., null; or null */
  double stall_seconds;     /* without a message, while one is due: the end */
  uint64_t max_batch_bytes; /* refused before anything is allocated; 0: 1 GiB */
} ik_stream_options;

/* Does not wait for the server. Null: the request does not parse. */
IK_API ik_stream* ik_stream_open(ik_channel* channel,
                                 const ik_stream_options* options);

enum {
  IK_OPENED = 1, /* header: StreamOpened. The first event. */
  IK_BATCH = 2,  /* header: BatchHeader; data: the batch's byte space */
  IK_END = 3,    /* header: StreamEnd. The stream ended well. */
  IK_ERROR = 4   /* code, message, details. The last event. */
};

enum {
  IK_FROM_SERVER = 0,
  IK_CANCELLED = 1, /* by ik_stream_cancel() */
  IK_STALLED = 2,   /* no message for stall_seconds */
  IK_BROKEN = 3     /* the server's messages break the protocol */
};

typedef struct {
  uint32_t kind;
  /* Valid until the next read of this stream. */
  const uint8_t* header;
  size_t header_size;
  /* Read-only, aligned to 64 bytes, valid until ik_buffer_release(buffer),
   * also after the stream is closed. */
  const uint8_t* data;
  size_t data_size;
  ik_buffer* buffer;
  /* Of an error. Texts are valid until the next read of this stream. */
  uint32_t origin;
  uint32_t code; /* gRPC's numbers */
  const char* message;
  size_t message_size;
  const uint8_t* details; /* google.rpc.Status, serialised; may be empty */
  size_t details_size;
} ik_event;

/* Blocks for the next event. Not called again after IK_END or IK_ERROR. */
IK_API void ik_stream_read(ik_stream* stream, ik_event* event);

/* Lets the server send that many further batches. */
IK_API void ik_stream_grant(ik_stream* stream, uint32_t credits);

/* Ends the stream at once; a blocked read answers IK_ERROR. Idempotent. */
IK_API void ik_stream_cancel(ik_stream* stream);

/* Cancels, waits for the library's thread, frees. Not while a read runs. */
IK_API void ik_stream_close(ik_stream* stream);

/* Gives the batch's memory back to be used again. */
IK_API void ik_buffer_release(ik_buffer* buffer);

#ifdef __cplusplus
}
#endif

#endif /* INKSTREAM_INKSTREAM_H_ */
