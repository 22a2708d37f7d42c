/* SPDX-License-Identifier: MIT */
/* Boost.Context as its users have it: fibers, whose stacks come from a pool and go back to it. */
#include <boost/context/fiber.hpp>
#include <boost/context/pooled_fixedsize_stack.hpp>
#include <vector>

#include "switch.h"

namespace context = boost::context;

static context::pooled_fixedsize_stack pool(STACK);
static std::vector<context::fiber> fibers;

static void setup(size_t count)
{
    for (size_t i = 0; i < count; i++)
        fibers.emplace_back(std::allocator_arg, pool, [](context::fiber &&from) {
            for (;;)
                from = std::move(from).resume();
            return std::move(from);
        });
}

static inline void visit(size_t i)
{
    fibers[i] = std::move(fibers[i]).resume();
}

static inline void spawn(void)
{
    (void)context::fiber(std::allocator_arg, pool, [](context::fiber &&from) { return std::move(from); }).resume();
}

int main(int argc, char **argv)
{
    return run_contestant(argc, argv);
}
