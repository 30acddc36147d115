/* The C interface of libinkstream: to a store in this process, without a
 * server, and to streams of servers, whose messages the caller brings. Requests
 * and answers are the contract's own messages (inkstream/v1/service.proto,
 * batch.proto), serialised. Batches are drawn into memory that the caller
 * offers, by threads that all of the process share.
 *
 * Ownership: what a function gives is the caller's and goes back through the
 * function named with it; what points into a handle says how long it is valid.
 * Thread safety: ik_stream_next() from one thread at a time, everything else
 * from any. Functions that give an ik_error answer null where all is well;
 * nothing is ever thrown at the caller.
 *
 * Fork: a handle is its process's. In a process that was forked from it
 * functions answer IK_WRONG_PROCESS, and those that close do nothing; the child
 * opens an engine of its own. A fork waits for what other threads are at in
 * here.
 *
 * Only symbols that begin with ik_ are exported. */
#ifndef INKSTREAM_ENGINE_H_
#define INKSTREAM_ENGINE_H_

#include <stddef.h>
#include <stdint.h>

#define IK_API __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

/* Raised by one when a program and a library of different headers would
 * misunderstand each other. */
#define IK_ABI 5
IK_API uint32_t ik_abi(void);
/* Delivery.raster_version of whoever draws with this library. */
IK_API uint32_t ik_raster_version(void);
/* For people: "0.1.0 raster=3". */
IK_API const char* ik_versions(void);

typedef struct ik_engine ik_engine;
typedef struct ik_stream ik_stream;

/* What went wrong. `code`: gRPC's numbers, or one of those below. */
enum {
  IK_WRONG_PROCESS = 1001, /* the handle is another process's */
  IK_NO_MEMORY = 1002      /* this process has no memory or no thread for it */
};
typedef struct {
  uint32_t code;
  const char* message; /* UTF-8 */
  size_t message_size;
  const uint8_t* details; /* google.rpc.Status, serialised; may be empty */
  size_t details_size;
} ik_error;
IK_API void ik_error_free(
    ik_error* error); /* here and below null does nothing */

typedef struct {
  const uint8_t* data;
  size_t size;
} ik_bytes;
IK_API void ik_bytes_free(ik_bytes* bytes);

/* Zeros are the defaults. */
typedef struct {
  size_t struct_size;      /* sizeof(ik_engine_options) */
  const char* path;        /* of the store */
  const char* fingerprint; /* hex; null or "": the newest generation */
  /* Processes of this machine that share it for the same work, such as ranks
   * and their loaders' workers. */
  uint32_t shares;
  /* Threads that draw, of the whole process; the engine opened last says how
   * many. 0: as many as the process has CPUs, by `shares`. */
  uint32_t threads;
  /* Bytes for batches being drawn and, a quarter of them, for views. 0: a tenth
   * of the memory the process may use, at most 1 GiB, by `shares`. */
  uint64_t memory;
} ik_engine_options;

IK_API ik_error* ik_engine_open(const ik_engine_options* options,
                                ik_engine** engine);

/* One method of inkstream.v1.DrawingService by its name: ListDatasets,
 * DescribeDataset, ExplainPlan, InspectDrawing, GetStatus, and UploadKeys with
 * all keys in one message. May take as long as a scan of the store. */
IK_API ik_error* ik_engine_call(ik_engine* engine, const char* method,
                                const uint8_t* request, size_t request_size,
                                ik_bytes** answer);

/* Streams keep what they need of it until they are closed. */
IK_API void ik_engine_close(ik_engine* engine);

enum {
  IK_STREAM_BATCHES = 0, /* request: StreamBatchesRequest, the one that opens */
  IK_FETCH_DRAWINGS = 1  /* request: FetchDrawingsRequest; one batch */
};

/* Checks and prices the request; may take as long as a scan of the store.
 * Nothing is drawn before memory is offered. */
IK_API ik_error* ik_stream_open(ik_engine* engine, uint32_t kind,
                                const uint8_t* request, size_t request_size,
                                ik_stream** stream);

/* Zeros are the defaults. */
typedef struct {
  size_t struct_size;     /* sizeof(ik_receive_options) */
  const uint8_t* request; /* what was asked, of `kind` */
  size_t request_size;
  const uint8_t* first; /* the message that came first: `opened` */
  size_t first_size;
  const char* endpoint; /* of the server, for texts */
  uint32_t shares;      /* as in ik_engine_options */
  uint32_t threads;     /* likewise; the stream opened last says how many */
  uint32_t kind;        /* as of ik_stream_open() */
} ik_receive_options;

/* A stream that a server sends, or the batch that it answers a fetch with,
 * whatever the codec. Its messages come by ik_stream_feed(). The batch of a
 * fetch is drawn by the thread that calls ik_stream_next(). */
IK_API ik_error* ik_stream_receive(const ik_receive_options* options,
                                   ik_stream** stream);

/* The next message, of the call's bytes. Never blocks, and never waits for
 * memory: what there is none for is kept as it came, bounded by the credits
 * that the caller grants. `batches`: that became whole. From one thread at a
 * time. An error is what the caller ends the call for; ik_stream_next() says it
 * behind the batches before it. */
IK_API ik_error* ik_stream_feed(ik_stream* stream, const uint8_t* message,
                                size_t size, uint32_t* batches);

/* Nothing more comes: behind the last batch ik_stream_next() says IK_END. */
IK_API void ik_stream_finish(ik_stream* stream);

/* Bytes of memory that any batch of the stream fits in. */
IK_API uint64_t ik_stream_batch_bytes(const ik_stream* stream);

/* StreamOpened, serialised, until the stream is closed. Of a fetch of an
 * engine: there once ik_stream_next() has given its batch. */
IK_API ik_bytes ik_stream_opened(ik_stream* stream);

/* Lets one more batch be drawn, into `memory`, of at least
 * ik_stream_batch_bytes() and aligned to 64 bytes. It is the stream's until
 * ik_stream_next() names `token`, or the stream is closed. At most as many
 * batches may be ahead as StreamOpened.credit_window says. */
IK_API ik_error* ik_stream_offer(ik_stream* stream, uint64_t token,
                                 void* memory, size_t size);

enum {
  IK_NOTHING = 0, /* came within the time given; the stream goes on */
  IK_BATCH = 2,
  IK_END = 3 /* header: StreamEnd; empty: none was fed */
};
typedef struct {
  uint32_t kind;
  uint32_t rows;
  uint64_t token; /* of the memory that the batch lies in */
  uint64_t size;  /* bytes of it that the batch takes */
  uint64_t epoch;
  uint64_t step;
  uint64_t cursor_epoch; /* the place after it */
  uint64_t cursor_position;
  uint64_t bad;
  uint64_t wire_bytes; /* that it came to in messages */
  /* BatchHeader, serialised, until the next call; empty where it would say what
   * the last one said, but for the numbers above. */
  const uint8_t* header;
  size_t header_size;
} ik_batch;

/* The next batch, the end, or nothing within `wait_seconds`. An error stays. */
IK_API ik_error* ik_stream_next(ik_stream* stream, double wait_seconds,
                                ik_batch* batch);

/* Ends the stream: ik_stream_next() answers CANCELLED. Returns when nobody
 * writes to offered memory any more. Idempotent. */
IK_API void ik_stream_cancel(ik_stream* stream);

/* Cancels, frees. Not while ik_stream_next() runs. */
IK_API void ik_stream_close(ik_stream* stream);

#ifdef __cplusplus
}
#endif

#endif /* INKSTREAM_ENGINE_H_ */
