/* SPDX-License-Identifier: MIT */
/* void registers_call(const uint64_t *in, uint64_t *out, void (*function)(void **, void *), void **a, void *b): calls
 * function(a, b) with the callee-saved registers as in @in and stores what they are afterwards. */
        .text
        .globl  registers_call
        .type   registers_call, @function
registers_call:
        .cfi_startproc
        endbr64
        pushq   %rbp
        pushq   %rbx
        pushq   %r12
        pushq   %r13
        pushq   %r14
        pushq   %r15
        pushq   %rsi
        .cfi_adjust_cfa_offset 56
        movq    %rdx, %rax
        movq    %rdi, %r10
        movq    %rcx, %rdi
        movq    %r8, %rsi
        movq    0(%r10), %rbx
        movq    8(%r10), %rbp
        movq    16(%r10), %r12
        movq    24(%r10), %r13
        movq    32(%r10), %r14
        movq    40(%r10), %r15
        call    *%rax
        popq    %rsi
        .cfi_adjust_cfa_offset -8
        movq    %rbx, 0(%rsi)
        movq    %rbp, 8(%rsi)
        movq    %r12, 16(%rsi)
        movq    %r13, 24(%rsi)
        movq    %r14, 32(%rsi)
        movq    %r15, 40(%rsi)
        popq    %r15
        popq    %r14
        popq    %r13
        popq    %r12
        popq    %rbx
        popq    %rbp
        .cfi_adjust_cfa_offset -48
        ret
        .cfi_endproc
        .size   registers_call, . - registers_call
        .section .note.GNU-stack, "", @progbits
