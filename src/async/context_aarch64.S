/* SPDX-License-Identifier: MIT */
/*
 * Contexts on AArch64 with the standard calling convention (async/context.h).
 *
 * A context that does not run has on its stack, from the address in `sp` upward:
 * x19-x28, x29 (frame), x30 (where it goes on), d8-d15: 160 bytes.
 *
 * A switch ends with `ret`, because under branch target identification any
 * other jump needs a landing pad, and what follows a call has none. The `hint`s
 * are `bti c`, which older processors take for nothing.
 */
        .text

        .macro function name
        .globl  \name
        .hidden \name
        .type   \name, %function
        .p2align 4
\name:
        .cfi_startproc
        hint    #34
        .endm

        .macro end name
        .cfi_endproc
        .size   \name, . - \name
        .endm

/* void context_swap(void **save_sp, void *sp) */
        function context_swap
        sub     sp, sp, #160
        .cfi_adjust_cfa_offset 160
        stp     x19, x20, [sp, #0]
        stp     x21, x22, [sp, #16]
        stp     x23, x24, [sp, #32]
        stp     x25, x26, [sp, #48]
        stp     x27, x28, [sp, #64]
        stp     x29, x30, [sp, #80]
        stp     d8, d9, [sp, #96]
        stp     d10, d11, [sp, #112]
        stp     d12, d13, [sp, #128]
        stp     d14, d15, [sp, #144]
        .cfi_rel_offset x19, 0
        .cfi_rel_offset x20, 8
        .cfi_rel_offset x21, 16
        .cfi_rel_offset x22, 24
        .cfi_rel_offset x23, 32
        .cfi_rel_offset x24, 40
        .cfi_rel_offset x25, 48
        .cfi_rel_offset x26, 56
        .cfi_rel_offset x27, 64
        .cfi_rel_offset x28, 72
        .cfi_rel_offset x29, 80
        .cfi_rel_offset x30, 88
        mov     x9, sp
        str     x9, [x0]
        mov     sp, x1
        ldp     x19, x20, [sp, #0]
        ldp     x21, x22, [sp, #16]
        ldp     x23, x24, [sp, #32]
        ldp     x25, x26, [sp, #48]
        ldp     x27, x28, [sp, #64]
        ldp     x29, x30, [sp, #80]
        ldp     d8, d9, [sp, #96]
        ldp     d10, d11, [sp, #112]
        ldp     d12, d13, [sp, #128]
        ldp     d14, d15, [sp, #144]
        add     sp, sp, #160
        .cfi_def_cfa sp, 0
        .cfi_restore x19
        .cfi_restore x20
        .cfi_restore x21
        .cfi_restore x22
        .cfi_restore x23
        .cfi_restore x24
        .cfi_restore x25
        .cfi_restore x26
        .cfi_restore x27
        .cfi_restore x28
        .cfi_restore x29
        .cfi_restore x30
        ret
        end     context_swap

/* void *context_frame(void *top, struct context *context, context_entry *entry, void *arg): what the first switch to a
 * context finds. Above it are two zeros, a frame record after which there is none. */
        function context_frame
        stp     xzr, xzr, [x0, #-16]!
        sub     x9, x0, #160
        adr     x10, context_begin
        stp     x1, x2, [x9, #0]        /* x19: context, x20: entry */
        stp     x3, xzr, [x9, #16]      /* x21: arg */
        stp     xzr, xzr, [x9, #32]
        stp     xzr, xzr, [x9, #48]
        stp     xzr, xzr, [x9, #64]
        stp     x0, x10, [x9, #80]      /* x29: the zeros */
        stp     xzr, xzr, [x9, #96]
        stp     xzr, xzr, [x9, #112]
        stp     xzr, xzr, [x9, #128]
        stp     xzr, xzr, [x9, #144]
        mov     x0, x9
        ret
        end     context_frame

/* Where a context begins. It has no caller. */
        function context_begin
        .cfi_undefined x30
        mov     x0, x19
        mov     x1, x20
        mov     x2, x21
        bl      context_run
        brk     #1
        end     context_begin

/* void context_fp_save(struct context_fp *fp) */
        function context_fp_save
        mrs     x9, fpcr
        str     w9, [x0]
        ret
        end     context_fp_save

/* void context_fp_load(const struct context_fp *fp) */
        function context_fp_load
        ldr     w9, [x0]
        msr     fpcr, x9
        ret
        end     context_fp_load

        .section .note.GNU-stack, "", %progbits

/* Says to the linker that this file works with branch target identification. */
        .section .note.gnu.property, "a"
        .p2align 3
        .word   4                       /* length of the name */
        .word   16                      /* length of what follows it */
        .word   5                       /* NT_GNU_PROPERTY_TYPE_0 */
        .asciz  "GNU"
        .word   0xc0000000              /* GNU_PROPERTY_AARCH64_FEATURE_1_AND */
        .word   4
        .word   1                       /* BTI */
        .word   0
