/* SPDX-License-Identifier: Apache-2.0 */
#include "base/elfnotes.h"

#include <elf.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

/* An interpreter has some 40 sections, and a few dozen notes. */
enum { MAX_SECTIONS = 4096, MAX_NOTES = 65536, TYPE_STAPSDT = 3, ADDRESSES = 3 * 8 };

/* The beginning of a note. The probe's arguments follow its names, and are not read. */
struct note {
    Elf64_Nhdr header;
    char owner[8]; /* of a stapsdt note: 8 bytes with the NUL, so that nothing is padded */
    char addresses[ADDRESSES];
    char names[192]; /* provider, NUL, name, NUL */
};

/* Read up to `size` bytes from `offset`. -1 if there are fewer than `least`: the file is cut short.
 */
static ssize_t read_at(int file, void *buffer, size_t size, size_t least, uint64_t offset) {
    ssize_t got = pread(file, buffer, size, (off_t)offset);

    return got >= (ssize_t)least ? got : -1;
}

static bool names_match(const struct note *note, size_t size, const char *provider,
                        const char *name) {
    size_t provider_size = strlen(provider) + 1, name_size = strlen(name) + 1;

    return size >= offsetof(struct note, names) + provider_size + name_size &&
           note->header.n_type == TYPE_STAPSDT && note->header.n_namesz == sizeof note->owner &&
           note->header.n_descsz >= ADDRESSES + provider_size + name_size &&
           !memcmp(note->owner, "stapsdt", sizeof note->owner) &&
           !memcmp(note->names, provider, provider_size) &&
           !memcmp(note->names + provider_size, name, name_size);
}

/* The size of a note: both parts are padded to 4 bytes. */
static uint64_t note_size(const Elf64_Nhdr *header) {
    return sizeof *header + (((uint64_t)header->n_namesz + 3) & ~(uint64_t)3) +
           (((uint64_t)header->n_descsz + 3) & ~(uint64_t)3);
}

static int section_has(int file, const Elf64_Shdr *section, const char *provider,
                       const char *name) {
    uint64_t at = section->sh_offset, end = at + section->sh_size;
    struct note note;

    for (int n = 0; at + sizeof note.header <= end; n++) {
        ssize_t size = read_at(file, &note, sizeof note, sizeof note.header, at);

        if (size < 0 || n == MAX_NOTES)
            return -1;
        if (names_match(&note, (size_t)size, provider, name))
            return 1;
        at += note_size(&note.header);
    }
    return 0;
}

static bool is_readable(const Elf64_Ehdr *header) {
    const unsigned char order =
        __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;

    return !memcmp(header->e_ident, ELFMAG, SELFMAG) && header->e_ident[EI_CLASS] == ELFCLASS64 &&
           header->e_ident[EI_DATA] == order && header->e_shentsize == sizeof(Elf64_Shdr) &&
           header->e_shnum <= MAX_SECTIONS;
}

int elfnotes_have(const char *path, const char *provider, const char *name) {
    int file = open(path, O_RDONLY | O_CLOEXEC), found = -1;
    Elf64_Ehdr header;
    Elf64_Shdr section;

    if (file < 0)
        return -1;
    if (read_at(file, &header, sizeof header, sizeof header, 0) < 0 || !is_readable(&header))
        goto out;
    found = 0;
    for (int i = 0; i < header.e_shnum && !found; i++) {
        uint64_t at = header.e_shoff + (uint64_t)i * sizeof section;

        if (read_at(file, &section, sizeof section, sizeof section, at) < 0)
            found = -1;
        else if (section.sh_type == SHT_NOTE)
            found = section_has(file, &section, provider, name);
    }
out:
    close(file);
    return found;
}
