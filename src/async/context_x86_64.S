/* SPDX-License-Identifier: MIT */
/*
 * Contexts on x86-64 with the System V calling convention (async/context.h).
 *
 * A context that does not run has on its stack, from the address in `sp` upward:
 * r15 r14 r13 r12 rbx rbp, and the address where it goes on.
 *
 * A switch ends with a jump. A `ret` would be predicted to return to where the
 * call came from, which is in the other context, and be wrong every time. For
 * the same reason this file does not claim to work with shadow stacks, and the
 * linker then doesn't claim it for the whole; the jump is `notrack`, because
 * what follows a call does not begin with endbr64.
 */
        .text

        .macro save register
        pushq   %\register
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset \register, 0
        .endm

        .macro restore register
        popq    %\register
        .cfi_adjust_cfa_offset -8
        .cfi_restore \register
        .endm

        .macro function name
        .globl  \name
        .hidden \name
        .type   \name, @function
        .p2align 4
\name:
        .cfi_startproc
        endbr64
        .endm

        .macro end name
        .cfi_endproc
        .size   \name, . - \name
        .endm

/* void context_swap(void **save_sp, void *sp) */
        function context_swap
        save    rbp
        save    rbx
        save    r12
        save    r13
        save    r14
        save    r15
        movq    %rsp, (%rdi)
        movq    %rsi, %rsp
        restore r15
        restore r14
        restore r13
        restore r12
        restore rbx
        restore rbp
        popq    %rcx
        .cfi_adjust_cfa_offset -8
        .cfi_register rip, rcx
        notrack jmp *%rcx
        end     context_swap

/* void *context_frame(void *top, struct context *context, context_entry *entry, void *arg): what the first switch to a
 * context finds. Above it are two zeros, where a debugger that does not read the unwind tables ends. */
        function context_frame
        leaq    context_begin(%rip), %rax
        movq    $0, -8(%rdi)
        movq    $0, -16(%rdi)
        movq    %rax, -24(%rdi)
        movq    $0, -32(%rdi)           /* rbp */
        movq    %rsi, -40(%rdi)         /* rbx: context */
        movq    %rdx, -48(%rdi)         /* r12: entry */
        movq    %rcx, -56(%rdi)         /* r13: arg */
        movq    $0, -64(%rdi)           /* r14 */
        movq    $0, -72(%rdi)           /* r15 */
        leaq    -72(%rdi), %rax
        ret
        end     context_frame

/* Where a context begins. It has no caller. */
        function context_begin
        .cfi_undefined rip
        movq    %rbx, %rdi
        movq    %r12, %rsi
        movq    %r13, %rdx
        call    context_run
        ud2
        end     context_begin

/* void context_fp_save(struct context_fp *fp) */
        function context_fp_save
        stmxcsr (%rdi)
        fnstcw  4(%rdi)
        ret
        end     context_fp_save

/* void context_fp_load(const struct context_fp *fp) */
        function context_fp_load
        ldmxcsr (%rdi)
        fldcw   4(%rdi)
        ret
        end     context_fp_load

        .section .note.GNU-stack, "", @progbits
