# Writes a table of expression: 90 genes in 30 samples of three types, which each have eight genes of their own.
#
#   awk -f docs/samples/genes.awk > genes.tsv
function random() {
    state = (state * 16807) % 2147483647
    return state / 2147483647
}

BEGIN {
    state = 11
    printf "gene"
    for (sample = 0; sample < 30; sample++) printf "\t%s%d", substr("ABC", sample % 3 + 1, 1), int(sample / 3) + 1
    print ""
    for (gene = 0; gene < 90; gene++) {
        printf "gene %d", gene + 1
        usual = 40 + 160 * random()
        for (sample = 0; sample < 30; sample++) {
            # What a type expresses, it expresses two to four times as much, with noise that grows with the level.
            level = usual * (int(gene / 8) == sample % 3 ? 2 + 2 * random() : 1)
            printf "\t%.1f", level * exp(0.5 * (random() + random() + random() - 1.5))
        }
        print ""
    }
}
