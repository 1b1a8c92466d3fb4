/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <sys/resource.h>
#include <signal.h>

#include "../../src/base/crc32.c"
#include "../../src/base/part.c"

static char s_above[64], s_directory[80];
static struct part_place s_place;

static void path_of(char path[160], const char *name) {
    snprintf(path, 160, "%s/%s", s_directory, name);
}

/* A private directory, and the place of a part in it. */
static void begin_test(void) {
    struct stat it;

    strcpy(s_above, "/tmp/test_part.XXXXXX");
    CHECK(mkdtemp(s_above));
    snprintf(s_directory, sizeof s_directory, "%s/run", s_above);
    CHECK_EQUAL(mkdir(s_directory, 0700), 0);
    CHECK_EQUAL(stat(s_directory, &it), 0);
    s_place =
        (struct part_place){.directory = s_directory, .device = it.st_dev, .inode = it.st_ino};
    strcpy(s_place.name, "a.part");
}

static void end_test(void) {
    char command[128];

    snprintf(command, sizeof command, "rm -r %s", s_above);
    CHECK_EQUAL(system(command), 0);
}

static int write_text(bool append, off_t size, const char *text, off_t *after) {
    struct part_piece piece = {text, strlen(text)};
    struct part_writing w;
    int error;

    part_begin(&w, &s_place, append, size);
    part_frame(&w, PYUSDT_PART_COUNTS, &piece, 1);
    error = part_end(&w);
    if (after)
        *after = w.size;
    return error;
}

static size_t content(const char *name, unsigned char *data, size_t room) {
    char path[160];
    FILE *file;
    size_t n;

    path_of(path, name);
    file = fopen(path, "rb");
    CHECK(file);
    n = fread(data, 1, room, file);
    fclose(file);
    return n;
}

static bool exists(const char *name) {
    struct stat it;
    char path[160];

    path_of(path, name);
    return lstat(path, &it) == 0;
}

static void make_file(const char *name, const char *text) {
    char path[160];
    FILE *file;

    path_of(path, name);
    file = fopen(path, "wb");
    CHECK(file);
    fputs(text, file);
    fclose(file);
}

/* The frame at `at`, and its payload; NULL where it is not whole and right. */
static const void *frame_at(const unsigned char *data, size_t size, size_t at,
                            struct pyusdt_part_frame *frame) {
    if (size < at + sizeof *frame)
        return NULL;
    memcpy(frame, data + at, sizeof *frame);
    if (frame->magic != PYUSDT_PART_MAGIC ||
        frame->frame_crc != crc32_of(0, data + at, offsetof(struct pyusdt_part_frame, frame_crc)))
        return NULL;
    at += sizeof *frame;
    if (frame->size > size - at || crc32_of(0, data + at, frame->size) != frame->payload_crc)
        return NULL;
    return data + at;
}

/* "check" is that of the catalogues of CRCs (CRC-32/ISO-HDLC); the others are zlib.crc32's. */
static void checksums_are_those_of_zlib(void) {
    unsigned char bytes[1024];

    CHECK_EQUAL(crc32_of(0, "123456789", 9), 0xCBF43926u);
    CHECK_EQUAL(crc32_of(0, "", 0), 0);
    CHECK_EQUAL(crc32_of(0, NULL, 0), 0);
    CHECK_EQUAL(crc32_of(0, "a", 1), 0xE8B7BE43u);
    CHECK_EQUAL(crc32_of(0, "\0\0\0\0", 4), 0x2144DF1Cu);
    CHECK_EQUAL(crc32_of(0, "\377\377\377\377", 4), 0xFFFFFFFFu);
    for (int i = 0; i < 1024; i++)
        bytes[i] = (unsigned char)i;
    CHECK_EQUAL(crc32_of(0, bytes, sizeof bytes), 0xB70B4C26u);
}

/* Bit by bit, and at every alignment and length. */
static void checksums_in_pieces(void) {
    unsigned char bytes[256];
    uint64_t state = 1;

    for (int i = 0; i < 256; i++)
        bytes[i] = (unsigned char)next_random(&state);
    for (int begin = 0; begin < 16; begin++)
        for (int size = 0; size < 200; size++) {
            uint32_t slow = ~0u, whole = crc32_of(0, bytes + begin, (size_t)size);

            for (int i = 0; i < size * 8; i++) {
                uint32_t bit = (bytes[begin + i / 8] >> i % 8 ^ slow) & 1;

                slow = slow >> 1 ^ (bit ? 0xEDB88320u : 0);
            }
            CHECK_EQUAL(whole, ~slow);
            for (int cut = 0; cut <= size; cut += 7) {
                uint32_t crc = crc32_of(0, bytes + begin, (size_t)cut);

                CHECK_EQUAL(crc32_of(crc, bytes + begin + cut, (size_t)(size - cut)), whole);
            }
        }
}

static void tokens_differ(void) {
    char one[32], other[32];

    part_make_token(one);
    part_make_token(other);
    CHECK(memcmp(one, other, 32));
    for (int i = 0; i < 32; i++)
        CHECK(one[i] && strchr("0123456789abcdef", one[i]));
}

static void frames_are_as_they_are_laid_out(void) {
    struct part_piece pieces[] = {{"one", 3}, {"", 0}, {"three", 5}};
    struct pyusdt_part_frame frame;
    unsigned char data[512];
    struct part_writing w;
    int64_t before = part_now_ns();
    const void *payload;
    size_t size;

    begin_test();
    part_begin(&w, &s_place, false, 12345);
    CHECK(!exists("a.part")); /* it appears whole */
    part_frame(&w, PYUSDT_PART_PROCESS, pieces, 3);
    part_frame(&w, PYUSDT_PART_END, NULL, 0);
    CHECK(!exists("a.part"));
    CHECK_EQUAL(part_end(&w), 0);
    CHECK(!exists("a.part.new"));
    size = content("a.part", data, sizeof data);
    CHECK_EQUAL(size, 2 * sizeof frame + 8);
    CHECK_EQUAL(size, w.size);
    payload = frame_at(data, size, 0, &frame);
    CHECK(payload && frame.size == 8 && !memcmp(payload, "onethree", 8));
    CHECK_EQUAL(frame.kind, PYUSDT_PART_PROCESS);
    CHECK(frame.moment_ns >= before && frame.moment_ns <= part_now_ns());
    CHECK(frame_at(data, size, sizeof frame + 8, &frame));
    CHECK_EQUAL(frame.kind, PYUSDT_PART_END);
    CHECK_EQUAL(frame.size, 0);
    end_test();
}

static void appended_frames_stand_behind(void) {
    struct pyusdt_part_frame frame;
    unsigned char data[512];
    off_t size;

    begin_test();
    CHECK_EQUAL(write_text(false, 0, "first", &size), 0);
    CHECK_EQUAL(write_text(true, size, "second", &size), 0);
    CHECK_EQUAL(content("a.part", data, sizeof data), size);
    CHECK(!memcmp(frame_at(data, (size_t)size, 0, &frame), "first", 5));
    CHECK(!memcmp(frame_at(data, (size_t)size, sizeof frame + 5, &frame), "second", 6));
    /* Anew: in its place. */
    CHECK_EQUAL(write_text(false, 0, "third", &size), 0);
    CHECK_EQUAL(content("a.part", data, sizeof data), sizeof frame + 5);
    CHECK(!memcmp(frame_at(data, (size_t)size, 0, &frame), "third", 5));
    end_test();
}

/* Cut off at every byte, only the frame that is cut is lost. */
static void a_torn_tail(void) {
    struct pyusdt_part_frame frame;
    unsigned char data[512];
    off_t one, size;

    begin_test();
    CHECK_EQUAL(write_text(false, 0, "first", &one), 0);
    CHECK_EQUAL(write_text(true, one, "second", &size), 0);
    content("a.part", data, sizeof data);
    for (size_t cut = (size_t)one; cut < (size_t)size; cut++) {
        CHECK(frame_at(data, cut, 0, &frame));
        CHECK(!frame_at(data, cut, (size_t)one, &frame));
    }
    for (size_t bit = 0; bit < (size_t)one * 8; bit++) {
        data[bit / 8] ^= (unsigned char)(1 << bit % 8);
        CHECK(!frame_at(data, (size_t)size, 0, &frame));
        data[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    end_test();
}

static void what_somebody_else_has_appended_to_is_left(void) {
    unsigned char data[512];
    off_t size;

    begin_test();
    CHECK_EQUAL(write_text(false, 0, "first", &size), 0);
    CHECK_EQUAL(write_text(true, size + 1, "second", NULL), ESTALE);
    CHECK_EQUAL(write_text(true, size - 1, "second", NULL), ESTALE);
    strcpy(s_place.name, "b.part");
    CHECK_EQUAL(write_text(true, 0, "second", NULL), ENOENT);
    CHECK(!exists("b.part"));
    CHECK(content("a.part", data, sizeof data) >= (size_t)size - 1);
    end_test();
}

/* A limit of the size of files is a disk that is full. */
static void a_full_disk(void) {
    struct rlimit old, limit;
    struct pyusdt_part_frame frame;
    unsigned char data[512];
    char big[4096];
    off_t size;

    memset(big, 'x', sizeof big);
    big[sizeof big - 1] = 0;
    begin_test();
    CHECK_EQUAL(write_text(false, 0, "first", &size), 0);
    signal(SIGXFSZ, SIG_IGN);
    CHECK_EQUAL(getrlimit(RLIMIT_FSIZE, &old), 0);
    for (rlim_t room = (rlim_t)size; room < 2000; room += 97) {
        limit = (struct rlimit){room, old.rlim_max};
        CHECK_EQUAL(setrlimit(RLIMIT_FSIZE, &limit), 0);
        CHECK_EQUAL(write_text(true, size, big, NULL), EFBIG);
        CHECK_EQUAL(write_text(false, 0, big, NULL), EFBIG);
        CHECK_EQUAL(setrlimit(RLIMIT_FSIZE, &old), 0);
        CHECK(!exists("a.part.new"));
        CHECK_EQUAL(content("a.part", data, sizeof data), size);
        CHECK(!memcmp(frame_at(data, (size_t)size, 0, &frame), "first", 5));
    }
    CHECK_EQUAL(write_text(true, size, "second", NULL), 0);
    end_test();
}

/* Another directory at the same path, or a link to the same one, is not written to. */
static void a_directory_that_was_replaced(void) {
    char moved[100];
    off_t size;

    begin_test();
    CHECK_EQUAL(write_text(false, 0, "first", &size), 0);
    snprintf(moved, sizeof moved, "%s/moved", s_above);
    CHECK_EQUAL(rename(s_directory, moved), 0);
    CHECK_EQUAL(write_text(false, 0, "second", NULL), ENOENT);
    CHECK_EQUAL(symlink(moved, s_directory), 0);
    CHECK_EQUAL(write_text(false, 0, "second", NULL), ENOTDIR);
    CHECK_EQUAL(write_text(true, size, "second", NULL), ENOTDIR);
    CHECK_EQUAL(unlink(s_directory), 0);
    CHECK_EQUAL(mkdir(s_directory, 0700), 0);
    CHECK_EQUAL(write_text(false, 0, "second", NULL), ESTALE);
    CHECK_EQUAL(write_text(true, size, "second", NULL), ESTALE);
    CHECK(!exists("a.part"));
    s_place.device++;
    CHECK_EQUAL(rmdir(s_directory), 0);
    CHECK_EQUAL(rename(moved, s_directory), 0);
    CHECK_EQUAL(write_text(false, 0, "second", NULL), ESTALE);
    s_place.device--;
    CHECK_EQUAL(write_text(true, size, "second", NULL), 0);
    end_test();
}

static void links_are_not_followed(void) {
    unsigned char data[512];
    char path[160], target[160];

    begin_test();
    make_file("target", "mine");
    path_of(target, "target");
    path_of(path, "a.part");
    CHECK_EQUAL(symlink(target, path), 0);
    CHECK_EQUAL(write_text(true, 4, "second", NULL), ELOOP);
    CHECK_EQUAL(write_text(false, 0, "second", NULL), 0); /* in the place of the link */
    path_of(path, "a.part.new");
    CHECK_EQUAL(symlink(target, path), 0);
    CHECK_EQUAL(write_text(false, 0, "third", NULL), 0);
    CHECK_EQUAL(link(target, path), 0);
    CHECK_EQUAL(write_text(false, 0, "fourth", NULL), 0);
    CHECK_EQUAL(mkfifo(path, 0600), 0);
    CHECK_EQUAL(write_text(false, 0, "fifth", NULL), 0);
    CHECK(!exists("a.part.new"));
    CHECK_EQUAL(content("target", data, sizeof data), 4);
    CHECK(!memcmp(data, "mine", 4));
    /* What cannot be removed is in the way. */
    CHECK_EQUAL(mkdir(path, 0700), 0);
    CHECK_EQUAL(write_text(false, 0, "sixth", NULL), EEXIST);
    end_test();
}

/* To wait for its other end would be for ever. */
static void a_pipe_is_no_part(void) {
    char path[160];

    begin_test();
    path_of(path, "a.part");
    CHECK_EQUAL(mkfifo(path, 0600), 0);
    CHECK_EQUAL(write_text(true, 0, "text", NULL), ENXIO);
    end_test();
}

static void the_mode_is_private(void) {
    mode_t masks[] = {0, 022, 0777};
    struct stat it;
    char path[160];

    for (int i = 0; i < 3; i++) {
        begin_test();
        mode_t old = umask(masks[i]);

        CHECK_EQUAL(write_text(false, 0, "text", NULL), 0);
        umask(old);
        path_of(path, "a.part");
        CHECK_EQUAL(lstat(path, &it), 0);
        CHECK_EQUAL(it.st_mode, S_IFREG | 0600);
        end_test();
    }
}

static void no_descriptor_stays_open(void) {
    begin_test();
    int first = dup(0);

    close(first);
    CHECK_EQUAL(write_text(false, 0, "text", NULL), 0);
    CHECK_EQUAL(write_text(true, 1, "text", NULL), ESTALE);
    s_place.inode++;
    CHECK_EQUAL(write_text(false, 0, "text", NULL), ESTALE);
    CHECK_EQUAL(dup(0), first);
    close(first);
    end_test();
}

int main(void) {
    static const struct test tests[] = {
        TEST(checksums_are_those_of_zlib),
        TEST(checksums_in_pieces),
        TEST(tokens_differ),
        TEST(frames_are_as_they_are_laid_out),
        TEST(appended_frames_stand_behind),
        TEST(a_torn_tail),
        TEST(what_somebody_else_has_appended_to_is_left),
        TEST(a_full_disk),
        TEST(a_directory_that_was_replaced),
        TEST(links_are_not_followed),
        TEST(a_pipe_is_no_part),
        TEST(the_mode_is_private),
        TEST(no_descriptor_stays_open),
    };

    return run_tests(tests, sizeof tests / sizeof *tests);
}
