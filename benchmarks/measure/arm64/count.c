/* A plugin for qemu-aarch64 (QEMU 7 and 8, plugin interface 1): counts the guest's instructions by
 * stage and by page of code. The guest says which stage begins by
 *
 *   posix_fadvise(any descriptor, MAGIC + stage, 0, POSIX_FADV_NORMAL)
 *
 * which has no effect of its own. At exit it writes a line for each stage and page to the file that
 * the argument `out=FILE` names: stage, first address of the page, instructions.
 *
 *   gcc -shared -fPIC -O2 -o count.so count.c
 *   qemu-aarch64 -plugin ./count.so,out=counts.txt ...
 *
 * Exact for one thread; several may lose some counts.
 */
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is used of qemu-plugin.h, which Debian does not package. */
typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };
typedef void (*translation_cb)(qemu_plugin_id_t, struct qemu_plugin_tb *);
typedef void (*syscall_cb)(qemu_plugin_id_t, unsigned int, int64_t, uint64_t, uint64_t, uint64_t,
                           uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);
extern void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t, translation_cb);
extern void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *, enum qemu_plugin_op,
                                                     void *, uint64_t);
extern void qemu_plugin_register_vcpu_syscall_cb(qemu_plugin_id_t, syscall_cb);
extern void qemu_plugin_register_atexit_cb(qemu_plugin_id_t, void (*)(qemu_plugin_id_t, void *),
                                           void *);
extern size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
extern uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *);

enum { STAGES = 16, SLOTS = 1 << 16, PAGE_BITS = 12, FADVISE64 = 223 };
static const uint64_t MAGIC = UINT64_C(0x5fe0000000000);

struct page {
    uint64_t address; /* of the page, plus 1: 0 is an empty slot */
    uint64_t count;
    uint64_t counted; /* how much of `count` has been added to a stage */
    uint64_t by_stage[STAGES];
};

__attribute__((visibility("default"))) int qemu_plugin_version = 1;
static struct page pages[SLOTS];
static unsigned used[SLOTS], used_count, stage;
static const char *out;

static struct page *page_of(uint64_t address)
{
    uint64_t key = (address >> PAGE_BITS << PAGE_BITS) + 1;
    unsigned slot = (unsigned)((key >> PAGE_BITS) * UINT64_C(2654435761)) % SLOTS;
    while (pages[slot].address && pages[slot].address != key)
        slot = (slot + 1) % SLOTS;
    if (!pages[slot].address) {
        if (used_count == SLOTS - 1) {
            fputs("count.c: too many pages of code; raise SLOTS\n", stderr);
            abort();
        }
        pages[slot].address = key;
        used[used_count++] = slot;
    }
    return &pages[slot];
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    (void)id;
    qemu_plugin_register_vcpu_tb_exec_inline(tb, QEMU_PLUGIN_INLINE_ADD_U64,
                                             &page_of(qemu_plugin_tb_vaddr(tb))->count,
                                             qemu_plugin_tb_n_insns(tb));
}

static void settle(void)
{
    for (unsigned i = 0; i < used_count; i++) {
        struct page *page = &pages[used[i]];
        page->by_stage[stage] += page->count - page->counted;
        page->counted = page->count;
    }
}

static void called(qemu_plugin_id_t id, unsigned int cpu, int64_t number, uint64_t descriptor,
                   uint64_t offset, uint64_t a3, uint64_t a4, uint64_t a5, uint64_t a6, uint64_t a7,
                   uint64_t a8)
{
    (void)id, (void)cpu, (void)descriptor;
    (void)a3, (void)a4, (void)a5, (void)a6, (void)a7, (void)a8;
    if (number != FADVISE64 || offset < MAGIC || offset >= MAGIC + STAGES)
        return;
    settle();
    stage = (unsigned)(offset - MAGIC);
}

static void at_exit(qemu_plugin_id_t id, void *unused)
{
    (void)id;
    (void)unused;
    settle();
    FILE *file = fopen(out, "w");
    if (!file) {
        perror(out);
        return;
    }
    for (unsigned i = 0; i < used_count; i++)
        for (unsigned s = 0; s < STAGES; s++)
            if (pages[used[i]].by_stage[s])
                fprintf(file, "%u %" PRIx64 " %" PRIu64 "\n", s, pages[used[i]].address - 1,
                        pages[used[i]].by_stage[s]);
    fclose(file);
}

__attribute__((visibility("default"))) int qemu_plugin_install(qemu_plugin_id_t id,
                                                               const void *info, int argc,
                                                               char **argv)
{
    (void)info;
    for (int i = 0; i < argc; i++)
        if (!strncmp(argv[i], "out=", 4))
            out = strdup(argv[i] + 4);
    if (!out) {
        fputs("count.c: needs the argument out=FILE\n", stderr);
        return 1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_vcpu_syscall_cb(id, called);
    qemu_plugin_register_atexit_cb(id, at_exit, NULL);
    return 0;
}
