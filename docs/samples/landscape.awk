# Draws a picture of 180 × 90 pixels: a sun above hills and a lake.
#
#   awk -f docs/samples/landscape.awk > landscape.pgm
function ridge(x, height, a, b, c) {
    return height + 9 * sin(x / a) + 5 * sin(x / b + 2) + 2 * sin(x / c + 1)
}

# How bright the scene is at x, y above the lake.
function scene(x, y,    sun) {
    if (y > ridge(x, 78, 31, 11, 3.1)) return 48 + 14 * sin(x / 2.3 + y * y / 40)
    if (y > ridge(x, 62, 47, 17, 5.3)) return 84 + 8 * sin(x / 3.7 - y / 2.1)
    if (y > ridge(x, 48, 71, 23, 7.9)) return 118 + 0.2 * x
    sun = sqrt((x - 168) ^ 2 + (y - 30) ^ 2)
    if (sun < 15) return 250
    return 165 + 0.5 * y + 60 * exp(-(sun - 15) / 20) + 7 * sin(y / 3 + sin(x / 19) * 2)
}

BEGIN {
    shore = 59
    print "P2 180 90 255"
    for (y = 0; y < 90; y++) {
        for (x = 0; x < 180; x++) {
            depth = y - shore
            value = scene(4 / 3 * x, 4 / 3 * y + 12)
            # The lake is the scene upside down, darker, and moved by waves.
            if (depth >= 0) {
                shift = 4 * sin(depth * depth / 22 + x / 27)
                value = 0.72 * scene(4 / 3 * x + shift, 4 / 3 * shore + 12 - 2.1 * depth) + 10 * sin(depth * 2.4 + sin(x / 6))
            }
            value = value < 0 ? 0 : value > 255 ? 255 : value
            printf "%d%s", value, x < 179 ? " " : "\n"
        }
    }
}
