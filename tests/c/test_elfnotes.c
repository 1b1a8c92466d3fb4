/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "../../src/base/elfnotes.c"
#include "usdt.h"

#define SELF "/proc/self/exe"

static char s_image[8 << 20]; /* this program, and room behind it */
static size_t s_size;

/* What the tests look for. */
static void fire(const char *file, int line) {
    USDT(python, function__entry, file, line);
    USDT_WITH_SEMA(other, line, line);
    USDT(python, import__find__load__start);
}

static void read_self(void) {
    FILE *file = fopen(SELF, "rb");
    CHECK(file);
    s_size = fread(s_image, 1, sizeof s_image, file);
    CHECK(s_size > 0 && s_size < sizeof s_image);
    fclose(file);
}

/* The answer for a file with the first `size` bytes of s_image. */
static int have_in_image(size_t size) {
    char path[] = "/tmp/pyusdt-elfnotes-XXXXXX";
    int file = mkstemp(path), answer;
    CHECK(file >= 0);
    CHECK_EQUAL(write(file, s_image, size), (ssize_t)size);
    answer = elfnotes_have(path, "python", "function__entry");
    close(file);
    unlink(path);
    return answer;
}

static void finds_a_probe_by_provider_and_name(void) {
    CHECK_EQUAL(elfnotes_have(SELF, "python", "function__entry"), 1);
    CHECK_EQUAL(elfnotes_have(SELF, "python", "import__find__load__start"), 1);
    CHECK_EQUAL(elfnotes_have(SELF, "other", "line"), 1);
}

static void is_not_content_with_a_part(void) {
    CHECK_EQUAL(elfnotes_have(SELF, "python", "function__entr"), 0);
    CHECK_EQUAL(elfnotes_have(SELF, "python", "function__entry_"), 0);
    CHECK_EQUAL(elfnotes_have(SELF, "python", "function__return"), 0);
    CHECK_EQUAL(elfnotes_have(SELF, "pytho", "function__entry"), 0);
    CHECK_EQUAL(elfnotes_have(SELF, "python", "line"), 0);
    CHECK_EQUAL(elfnotes_have(SELF, "", ""), 0);
}

static void what_is_no_elf_file_is_not_known(void) {
    CHECK_EQUAL(elfnotes_have("/nonexistent/python", "python", "line"), -1);
    CHECK_EQUAL(elfnotes_have("", "python", "line"), -1);
    CHECK_EQUAL(elfnotes_have("/", "python", "line"), -1);
    CHECK_EQUAL(elfnotes_have("/dev/null", "python", "line"), -1);
    CHECK_EQUAL(elfnotes_have(__FILE__, "python", "line"), -1);
}

static void of_the_other_class_or_byte_order_is_not_known(void) {
    for (int i = EI_CLASS; i <= EI_DATA; i++) {
        read_self();
        s_image[i] = (char)(3 - s_image[i]);
        CHECK_EQUAL(have_in_image(s_size), -1);
    }
}

/* It may have been found before the end. */
static void cut_short_never_says_no(void) {
    read_self();
    CHECK_EQUAL(have_in_image(s_size), 1);
    for (unsigned part = 0; part < 64; part++)
        CHECK(have_in_image(s_size * part / 64) != 0);
}

/* Every field of the headers and of the notes with a value that leads astray. Whatever the answer
 * is, there is one, soon, and nothing is read or written where it must not be. */
static void damaged_anywhere_ends(void) {
    static const char values[] = {0, 1, 0x7f, -1};
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)s_image;
    uint64_t state = 29;

    for (unsigned i = 0; i < turns(1000); i++) {
        size_t at, from = 0, size = sizeof *header;
        read_self();
        if (i % 2) {
            from = header->e_shoff;
            size = s_size - from;
        }
        at = from + next_random(&state) % size;
        memset(s_image + at, values[next_random(&state) % sizeof values],
               1 + next_random(&state) % 8);
        CHECK(have_in_image(s_size) <= 1);
    }
}

static void a_note_without_end_ends(void) {
    Elf64_Ehdr *header = (Elf64_Ehdr *)s_image;
    Elf64_Shdr *sections;

    read_self();
    sections = (Elf64_Shdr *)(s_image + header->e_shoff);
    for (int i = 0; i < header->e_shnum; i++) {
        if (sections[i].sh_type == SHT_NOTE) {
            sections[i].sh_offset = sizeof *header;
            sections[i].sh_size = UINT64_MAX / 2;
            break;
        }
    }
    CHECK(have_in_image(s_size) != 0);
}

int main(void) {
    static const struct test tests[] = {
        TEST(finds_a_probe_by_provider_and_name),
        TEST(is_not_content_with_a_part),
        TEST(what_is_no_elf_file_is_not_known),
        TEST(of_the_other_class_or_byte_order_is_not_known),
        TEST(cut_short_never_says_no),
        TEST(damaged_anywhere_ends),
        TEST(a_note_without_end_ends),
    };
    fire(__FILE__, __LINE__);
    return run_tests(tests, sizeof tests / sizeof *tests);
}
