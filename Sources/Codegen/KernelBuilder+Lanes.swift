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
}
