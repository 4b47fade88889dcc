/* The process's table of session handles, for the files of this layer.
 *
 * A slot is free, idle, busy (a thread is in a call of the session) or taken (a term owns it). Slots are
 * static, so a stale handle can be judged at any time without a lock. */
#ifndef OPENESENT_INSTANCE_SESSION_SLOTS_H
#define OPENESENT_INSTANCE_SESSION_SLOTS_H

#include "src/instance/session.h"

/* The top four bits of every handle tell its kind. */
#define HANDLE_KIND_MASK ((uint64_t)0xf << 60)
#define HANDLE_KIND_INSTANCE ((uint64_t)0x1 << 60)
#define HANDLE_KIND_SESSION ((uint64_t)0x2 << 60)
#define HANDLE_KIND_CURSOR ((uint64_t)0x3 << 60)

enum session_state { SESSION_FREE, SESSION_IDLE, SESSION_BUSY, SESSION_TAKEN };

struct session_slot {
    os_atomic_64 handle;
    os_atomic_32 state;        /* enum session_state */
    os_atomic_64 owner;        /* thread that is inside, 0: none */
    os_atomic_32 first_cursor; /* sequence numbers of the session's cursors begin behind this one */
    struct session *session;
    struct instance *_Atomic instance; /* of the session; for those who have not taken the slot */
};

/* The slot that a handle names, NULL if it can be no session handle. The slot may belong to another session
 * by now. */
struct session_slot *session_slot_of_handle(JET_SESID handle);
struct session_slot *session_slot_at(uint32_t number);
uint32_t session_slot_number(const struct session_slot *slot);

/* Gives a session a free slot, busy for the caller, and a handle. JET_errOutOfSessions if all are used. */
JET_ERR session_slot_claim(struct session *session);
/* Frees the slot of a session, which the caller has entered or taken. */
void session_slot_release(struct session *session);

/* For term: takes an idle session; false if a thread is inside. Gives it back. */
bool session_slot_take(struct session *session);
void session_slot_give_back(struct session *session);

/* Sequence numbers of cursor handles: 28 bits, never 0. */
#define CURSOR_SEQUENCE_MASK 0x0fffffffu
uint32_t session_next_cursor_sequence(void);
/* Whether a cursor with this sequence number can be one of the session that is in the slot now. */
bool session_slot_opened(uint32_t number, uint32_t sequence);

#endif
