import IR

extension KernelBuilder {
  /// A vector of which lane `i` is the lane of the vector that `place(i)` names; all vectors have as many lanes.
  mutating func picking(lanes: Int, from vectors: [Register], _ place: (Int) -> (vector: Int, lane: Int)) -> Register {
    var picked = vectors[0]
    guard vectors.count > 1 else { return picked }
    let type = type(of: picked)
    for number in 1..<vectors.count {
      let positions = (0..<lanes).map { lane in
        let (vector, from) = place(lane)
        if vector == number { return lanes + from }
        // What earlier vectors gave is there already.
        return number == 1 && vector == 0 ? from : lane
      }
      picked = define(type, .shuffle(picked, vectors[number], positions))
    }
    return picked
  }

  /// The square of vectors with rows for columns: blocks across the diagonal change places, then the blocks in them.
  mutating func transposed(_ square: [Register]) -> [Register] {
    let side = square.count
    var lines = square
    var half = side / 2
    while half > 0 {
      let upper = (0..<side).map { $0 & half == 0 ? $0 : side + $0 - half }
      let lower = (0..<side).map { $0 & half == 0 ? $0 + half : side + $0 }
      for row in 0..<side where row & half == 0 {
        let (first, second) = (lines[row], lines[row + half])
        lines[row] = define(type(of: first), .shuffle(first, second, upper))
        lines[row + half] = define(type(of: first), .shuffle(first, second, lower))
      }
      half /= 2
    }
    return lines
  }
}
