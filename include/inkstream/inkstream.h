/* The C interface of libinkstream to servers: one StreamBatches call at a time,
 * read ahead by a thread of the library's own, and FetchDrawings on the
 * caller's thread. Requests and headers are the contract's own messages
 * (inkstream/v1/service.proto, batch.proto), serialised; going on at a cursor
 * after an error is the caller's.
 *
 * Ownership: what a function returns is the caller's and goes back through the
 * function named with it. Thread safety: ik_call_read() from one thread at a
 * time, everything else from any. No function may be called in a process that
 * was forked from one that has used the library.
 *
 * Only symbols that begin with ik_ are exported. */
#ifndef INKSTREAM_INKSTREAM_H_
#define INKSTREAM_INKSTREAM_H_

#include <stddef.h>
#include <stdint.h>

#include "inkstream/engine.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Why the last function that this thread called gave null, for people; valid
 * until the thread's next call. Nothing is ever thrown at the caller: where
 * memory or threads are short, what would give a pointer gives null, and what
 * reads answers IK_ERROR of IK_FAILED. */
IK_API const char* ik_last_error(void);

typedef struct ik_channel ik_channel;
typedef struct ik_call ik_call;
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
  /* Batches that may be ahead of the reader. The library grants them itself,
   * from the first read behind IK_OPENED on. 0: only ik_call_grant() does. */
  uint32_t read_ahead;
  uint64_t read_ahead_bytes; /* fewer, but two, of large batches; 0: no limit */
  /* Not 0: each batch gets memory of its own, which its holder may write to,
   * also where it came in memory shared with the server. */
  uint32_t own_memory;
} ik_call_options;

/* Does not wait for the server. Null: the channel or the request is missing,
 * the request does not parse, or no thread can be had. */
IK_API ik_call* ik_call_open(ik_channel* channel,
                             const ik_call_options* options);

enum {
  /* IK_NOTHING, IK_BATCH (header: BatchHeader; data: the batch's byte space)
   * and IK_END (header: StreamEnd) as engine.h has them; and */
  IK_OPENED = 1, /* header: StreamOpened. The first event. */
  IK_ERROR = 4   /* code, message, details. The last event. */
};

enum {
  IK_FROM_SERVER = 0,
  IK_CANCELLED = 1, /* by ik_call_cancel() */
  IK_STALLED = 2,   /* no message for stall_seconds */
  IK_BROKEN = 3,    /* the server's messages break the protocol */
  IK_FAILED = 4     /* this process has no memory or no thread for it */
};

typedef struct {
  uint32_t kind;
  /* Whether anything but an error may come behind what is queued now, ... */
  uint32_t goes_on;
  uint64_t queued; /* ... and how many events that is. */
  /* Valid until the next read of this stream. Of a batch: empty where it would
   * say what the last one said, but for the batch's place in the stream, how
   * it travelled, and the five numbers below. */
  const uint8_t* header;
  size_t header_size;
  uint64_t epoch;
  uint64_t step;
  uint64_t cursor_epoch;
  uint64_t cursor_position;
  uint64_t bad;
  uint64_t wire_bytes; /* what the batch had in messages */
  /* Aligned to 64 bytes, valid until ik_buffer_release(buffer), also after the
   * stream is closed. Read-only, but for own_memory. */
  const uint8_t* data;
  uint64_t data_size;
  ik_buffer* buffer; /* null of a batch without bytes */
  /* Of an error. Texts are valid until the next read of this stream. */
  uint32_t origin;
  uint32_t code; /* gRPC's numbers */
  const char* message;
  size_t message_size;
  const uint8_t* details; /* google.rpc.Status, serialised; may be empty */
  size_t details_size;
} ik_event;

/* Blocks for the next event, at most `wait_seconds`, below 0 for as long as it
 * takes. What is queued comes first, also behind an error of the call. After
 * IK_END or IK_ERROR the answer is IK_ERROR. */
IK_API void ik_call_read(ik_call* stream, double wait_seconds, ik_event* event);

/* Batches that ik_call_read() would give at once. */
IK_API uint64_t ik_call_queued(ik_call* stream);

/* Lets the server send that many further batches. */
IK_API void ik_call_grant(ik_call* stream, uint32_t credits);

/* Ends the stream at once; a blocked read answers IK_ERROR. Idempotent. */
IK_API void ik_call_cancel(ik_call* stream);

/* Cancels, waits for the library's thread, frees. Not while a read runs.
 * Here and below null does nothing. */
IK_API void ik_call_close(ik_call* stream);

typedef struct ik_fetch ik_fetch;

typedef struct {
  const uint8_t* request; /* FetchDrawingsRequest */
  size_t request_size;
  const char* const* metadata; /* as of a stream */
  double timeout_seconds;      /* until the answer is there as a whole */
  uint64_t max_batch_bytes;    /* as of a stream */
} ik_fetch_options;

/* Begins the call. Does not wait for the server. Null: without a request. */
IK_API ik_fetch* ik_fetch_open(ik_channel* channel,
                               const ik_fetch_options* options);

/* Blocks until the call is over, at most `seconds`. 0: not yet. 1: it is, and
 * the two events say how: IK_OPENED and IK_BATCH, or kind 0 and IK_ERROR (of
 * which origin is IK_FROM_SERVER, IK_BROKEN or IK_FAILED). What they refer to
 * is valid until the fetch is closed, the buffer until it is released. Not
 * called again after 1; from one thread at a time. */
IK_API int ik_fetch_wait(ik_fetch* fetch, double seconds, ik_event* opened,
                         ik_event* batch);

/* Ends the call if it is not over, frees. Its channel must still be open. */
IK_API void ik_fetch_close(ik_fetch* fetch);

/* Gives the batch's memory back to be used again. */
IK_API void ik_buffer_release(ik_buffer* buffer);

#ifdef __cplusplus
}
#endif

#endif /* INKSTREAM_INKSTREAM_H_ */
