# Writes a graph of 200 locks and keys: which were seen to fit.
#
#   awk -f docs/samples/locks.awk > locks.tsv
#
# There are ten kinds, with ten locks and ten keys each. Half of the pairs of a kind are known, and one in forty of all pairs is a
# mistake. No two locks fit each other, so that what fits the same is never a pair itself.
function random() {
    state = (state * 16807) % 2147483647
    return state / 2147483647
}

BEGIN {
    state = 5
    print "one\tother"
    for (lock = 0; lock < 100; lock++) {
        for (key = 0; key < 100; key++) {
            if (random() < (lock % 10 == key % 10 ? 0.5 : 0.025)) printf "lock %d\tkey %d\n", lock, key
        }
    }
}
