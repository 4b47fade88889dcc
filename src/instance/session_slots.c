#include "src/instance/session_slots.h"

#include "src/os/host.h"
#include "src/os/lock.h"
#include "src/os/thread.h"

#define SESSION_SLOTS 32768u

static struct session_slot slots[SESSION_SLOTS];
static struct os_mutex slots_lock = OS_MUTEX_INITIALIZER(OS_RANK_HANDLES);
static uint32_t slots_used; /* slots beyond were never used */
static uint32_t session_sequence;
static os_atomic_32 cursor_sequence;

static void forget(void)
{
    for (uint32_t i = 0; i < slots_used; i++) {
        os_atomic_store(&slots[i].state, SESSION_FREE);
        os_atomic_store(&slots[i].handle, 0);
        os_atomic_store(&slots[i].owner, 0);
        slots[i].session = NULL;
    }
    slots_used = 0;
    session_sequence = 0;
    os_atomic_store(&cursor_sequence, 0);
}

struct session_slot *session_slot_of_handle(JET_SESID handle)
{
    if (handle == 0 || handle == JET_sesidNil || (handle & HANDLE_KIND_MASK) != HANDLE_KIND_SESSION)
        return NULL;
    uint32_t number = (uint32_t)(handle & 0xffff);
    return number < SESSION_SLOTS ? &slots[number] : NULL;
}

struct session_slot *session_slot_at(uint32_t number)
{
    ASSERT(number < SESSION_SLOTS);
    return &slots[number];
}

uint32_t session_slot_number(const struct session_slot *slot)
{
    return (uint32_t)(slot - slots);
}

JET_ERR session_slot_claim(struct session *session)
{
    JET_ERR err = JET_errOutOfSessions;
    os_mutex_lock(&slots_lock);
    os_host_on_death(forget);
    for (uint32_t i = 0; i < SESSION_SLOTS; i++) {
        struct session_slot *slot = &slots[i];
        uint32_t state = SESSION_FREE;
        if (!os_atomic_compare_exchange(&slot->state, &state, SESSION_BUSY))
            continue;
        if (i >= slots_used)
            slots_used = i + 1;
        session_sequence++;
        session->slot = i;
        session->handle = HANDLE_KIND_SESSION | ((uint64_t)session_sequence << 16) | i;
        slot->session = session;
        slot->instance = session->instance;
        os_atomic_store(&slot->first_cursor, os_atomic_load(&cursor_sequence));
        os_atomic_store(&slot->owner, os_thread_id());
        os_atomic_store(&slot->handle, session->handle);
        err = JET_errSuccess;
        break;
    }
    os_mutex_unlock(&slots_lock);
    return err;
}

void session_slot_release(struct session *session)
{
    struct session_slot *slot = session_slot_at(session->slot);
    ASSERT(slot->session == session);
    os_atomic_store(&slot->handle, 0);
    os_atomic_store(&slot->owner, 0);
    slot->session = NULL;
    slot->instance = NULL;
    os_atomic_store(&slot->state, SESSION_FREE);
}

bool session_slot_take(struct session *session)
{
    uint32_t state = SESSION_IDLE;
    return os_atomic_compare_exchange(&session_slot_at(session->slot)->state, &state, SESSION_TAKEN);
}

void session_slot_give_back(struct session *session)
{
    struct session_slot *slot = session_slot_at(session->slot);
    ASSERT(os_atomic_load(&slot->state) == SESSION_TAKEN);
    os_atomic_store(&slot->state, SESSION_IDLE);
}

uint32_t session_next_cursor_sequence(void)
{
    uint32_t sequence;
    do {
        sequence = os_atomic_add(&cursor_sequence, 1u) & CURSOR_SEQUENCE_MASK;
    } while (sequence == 0);
    return sequence;
}

bool session_slot_opened(uint32_t number, uint32_t sequence)
{
    if (number >= SESSION_SLOTS || os_atomic_load(&slots[number].handle) == 0)
        return false;
    /* Numbers wrap around: those of the upper half are older. */
    uint32_t age = (sequence - os_atomic_load(&slots[number].first_cursor)) & CURSOR_SEQUENCE_MASK;
    return age != 0 && age <= CURSOR_SEQUENCE_MASK / 2;
}
