/* SPDX-License-Identifier: MIT */
/*
 * What the kernel and a program say to each other over io_uring (io_uring_setup(2), io_uring_enter(2),
 * io_uring_register(2), and the kernel's include/uapi/linux/io_uring.h), as far as it is used here. The system's own
 * header may be older than its kernel (docs/decisions/0015).
 */
#ifndef BACKEND_URING_ABI_H
#define BACKEND_URING_ABI_H

#include <stdint.h>

struct uring_sqe {
    uint8_t opcode;
    uint8_t flags;
    uint16_t ioprio; /* of a receive or an accept: its own flags */
    int32_t fd;
    uint64_t off;
    uint64_t addr;
    uint32_t len;
    uint32_t op_flags;
    uint64_t user_data;
    uint16_t buf_group;
    uint16_t personality;
    uint32_t optlen; /* of a multishot receive: bytes after which it ends (6.17) */
    uint64_t addr3;
    uint64_t padding;
};

struct uring_cqe {
    uint64_t user_data;
    int32_t res;
    uint32_t flags;
};

struct uring_sq_offsets {
    uint32_t head, tail, ring_mask, ring_entries, flags, dropped, array, reserved;
    uint64_t user_addr;
};

struct uring_cq_offsets {
    uint32_t head, tail, ring_mask, ring_entries, overflow, cqes, flags, reserved;
    uint64_t user_addr;
};

struct uring_params {
    uint32_t sq_entries, cq_entries, flags, sq_thread_cpu, sq_thread_idle, features, wq_fd, reserved[3];
    struct uring_sq_offsets sq_off;
    struct uring_cq_offsets cq_off;
};

struct uring_timespec {
    int64_t seconds, nanoseconds;
};

struct uring_getevents_arg {
    uint64_t sigmask;
    uint32_t sigmask_size;
    uint32_t min_wait_usec;
    uint64_t timeout; /* a struct uring_timespec */
};

/* One buffer that is provided; in the first, `tail` counts them all. */
struct uring_buf {
    uint64_t addr;
    uint32_t len;
    uint16_t bid;
    uint16_t tail;
};

struct uring_buf_reg {
    uint64_t ring_addr;
    uint32_t ring_entries;
    uint16_t bgid;
    uint16_t flags;
    uint64_t reserved[3];
};

struct uring_probe_op {
    uint8_t op, reserved;
    uint16_t flags;
    uint32_t reserved_too;
};

#define URING_PROBE_OPS 64

struct uring_probe {
    uint8_t last_op, ops_length;
    uint16_t reserved;
    uint32_t reserved_too[3];
    struct uring_probe_op ops[URING_PROBE_OPS];
};

_Static_assert(sizeof(struct uring_sqe) == 64 && sizeof(struct uring_cqe) == 16 && sizeof(struct uring_params) == 120 &&
                   sizeof(struct uring_buf) == 16 && sizeof(struct uring_buf_reg) == 40 &&
                   sizeof(struct uring_getevents_arg) == 24 && sizeof(struct uring_probe_op) == 8,
               "these are the kernel's structures");

/* Where mmap(2) finds the rings and the entries. */
#define URING_OFFSET_RINGS UINT64_C(0)
#define URING_OFFSET_SQES UINT64_C(0x10000000)

enum {
    URING_OP_SENDMSG = 9,
    URING_OP_ACCEPT = 13,
    URING_OP_ASYNC_CANCEL = 14,
    URING_OP_CLOSE = 19,
    URING_OP_SEND = 26,
    URING_OP_RECV = 27,
    URING_OP_POLL_ADD = 6,
    URING_OP_SEND_ZC = 47,    /* 6.0 */
    URING_OP_EPOLL_WAIT = 59, /* 6.15 */
};

enum {
    URING_SETUP_CQSIZE = 1 << 3,
    URING_SETUP_R_DISABLED = 1 << 6,
    URING_SETUP_SUBMIT_ALL = 1 << 7,
    URING_SETUP_SINGLE_ISSUER = 1 << 12,
    URING_SETUP_DEFER_TASKRUN = 1 << 13, /* 6.1 */
    URING_SETUP_NO_SQARRAY = 1 << 16,    /* 6.6 */
};

enum {
    URING_FEAT_SINGLE_MMAP = 1 << 0,
    URING_FEAT_NODROP = 1 << 1,
    URING_FEAT_SUBMIT_STABLE = 1 << 2,
    URING_FEAT_FAST_POLL = 1 << 5,
    URING_FEAT_EXT_ARG = 1 << 8,
    URING_FEAT_CQE_SKIP = 1 << 11,
    URING_FEAT_RECVSEND_BUNDLE = 1 << 14, /* 6.10 */
};

enum {
    URING_ENTER_GETEVENTS = 1 << 0,
    URING_ENTER_EXT_ARG = 1 << 3,
};

enum {
    URING_REGISTER_EVENTFD = 4,
    URING_REGISTER_PROBE = 8,
    URING_REGISTER_ENABLE_RINGS = 12,
    URING_REGISTER_PBUF_RING = 22,
};

enum { URING_PBUF_RING_INC = 1 << 1 }; /* 6.12 */

enum { URING_SQE_BUFFER_SELECT = 1 << 5, URING_SQE_CQE_SKIP_SUCCESS = 1 << 6 };

enum { URING_RECV_MULTISHOT = 1 << 1, URING_RECVSEND_BUNDLE = 1 << 4 };
enum { URING_ACCEPT_MULTISHOT = 1 << 0 };
enum { URING_POLL_ADD_MULTI = 1 << 0 };
enum { URING_CANCEL_ALL = 1 << 0, URING_CANCEL_FD = 1 << 1, URING_CANCEL_ANY = 1 << 2 };

enum {
    URING_CQE_BUFFER = 1 << 0,
    URING_CQE_MORE = 1 << 1,
    URING_CQE_BUF_MORE = 1 << 4,
};
#define URING_CQE_BUFFER_SHIFT 16

#endif
