import IR

/// The blocks of keys of an attention in tiles.
///
/// Products in tiles and vectors of exponentials keep different units of the processor busy, so the scores of the next block
/// are multiplied while the exponentials of this one are computed, in the memory of scores that have been read.
extension AttentionNest {
  func writeBlocks(
    _ tiles: AttentionTiles, _ own: AttentionTiles.Place, _ place: Place, _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder
  ) {
    let isOnly = blockCount == .one
    let lastNumber = isOnly ? IntegerExpression.zero : b.position(blockCount - 1)
    let lastFirst = lastNumber * tiling.block
    let lastCount = isOnly ? keyCount : b.position(keyCount - lastFirst, in: Extent(tiling.block + 1))
    let panelsOfBlock = tiling.block / SplitLayout.block
    let firstCount = isOnly ? keyCount : b.position(.minimum(IntegerExpression(tiling.block), keyCount))
    b.loop(to: AttentionTiles.panelCount(keys: firstCount)) { b, panel, _ in
      multiplyKeys(panel, panel: panel, tiles, own, place, &b, beside: nil)
      return []
    }
    if !isOnly {
      b.loop(to: lastNumber) { b, number, _ in
        let block = Block(first: number * tiling.block, count: IntegerExpression(tiling.block), isOnly: false)
        begin(block, place, &lowering, &b)
        b.loop(to: Extent(panelsOfBlock)) { b, panel, _ in
          // The last block may have fewer panels; what is multiplied for the missing ones is not read.
          let next = IntegerExpression.minimum((number + 1) * panelsOfBlock + panel, tiles.keys.layout.blockCount - 1)
          multiplyKeys(b.position(next), panel: panel, tiles, own, place, &b) { row, b in
            exponentiate(row, panel, nil, tiles, own, place, &b)
          }
          return []
        }
        tiles.multiplyValues(block, own, into: place.scratch.sums, stride: sumStride, &b)
        return []
      }
    }
    let block = Block(first: lastFirst, count: lastCount, isOnly: isOnly)
    begin(block, place, &lowering, &b)
    b.loop(to: AttentionTiles.panelCount(keys: lastCount)) { b, panel, _ in
      b.loop(to: Extent(tiling.rows)) { b, row, _ in
        exponentiate(row, panel, lastCount, tiles, own, place, &b)
        return []
      }
      return []
    }
    tiles.multiplyValues(block, own, into: place.scratch.sums, stride: sumStride, &b)
  }

  /// What comes between the scores of a block and its exponentials.
  private func begin(
    _ block: Block, _ place: Place, _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) {
    lowering.withScope { findMaxima(block, place, &$0, &b) }
    shift(block, place, &b)
    if !block.isOnly { scaleSums(place, &b) }
  }

  private func multiplyKeys(
    _ keyBlock: IntegerExpression, panel: IntegerExpression, _ tiles: AttentionTiles, _ own: AttentionTiles.Place,
    _ place: Place, _ b: inout KernelBuilder, beside work: ((IntegerExpression, inout KernelBuilder) -> Void)?
  ) {
    tiles.multiplyKeys(
      keyBlock, own, batch: place.batchNumber, into: place.scratch.weights, stride: tiling.stride, panel: panel, &b,
      beside: work)
  }

  /// The weights of a row for the 32 keys of a panel; those from `count` on, if there is one, are zero.
  private func exponentiate(
    _ row: IntegerExpression, _ panel: IntegerExpression, _ count: IntegerExpression?, _ tiles: AttentionTiles,
    _ own: AttentionTiles.Place, _ place: Place, _ b: inout KernelBuilder
  ) {
    let scratch = place.scratch
    let shift = b.widen(b.load(scratch.shifts, at: row, lanes: lanes), to: lanes)
    let zero = b.constant(.zero(sumType), sumType, lanes: lanes)
    let weights = [0, lanes].map { offset in
      let key = panel * SplitLayout.block + offset + .lane
      let logit = b.load(scratch.weights, at: row * tiling.stride + key, lanes: lanes)
      let weight = b.softmaxExponential(b.apply(.subtract, [logit, shift]))
      guard let count, let mask = b.isWithin(key, count, lanes: lanes) else { return weight }
      return b.apply(.select, [mask, weight, zero])
    }
    let at = row * sumStride + totalColumn + .lane
    let total = b.load(scratch.sums, at: at, lanes: lanes)
    b.store(
      b.apply(.add, [total, b.apply(.add, [weights[0], weights[1]])]), scratch.sums, at: at, lanes: lanes)
    tiles.store(weights, row: row, panel: panel, own, &b)
  }

  /// Multiplies what has been summed before the block by the rows' factors.
  private func scaleSums(_ place: Place, _ b: inout KernelBuilder) {
    b.loop(to: Extent(tiling.rows)) { b, row, _ in
      let factor = b.load(place.scratch.factors, at: row, lanes: lanes)
      for first in stride(from: 0, to: sumStride, by: lanes) {
        let at = row * sumStride + first + .lane
        let sum = b.load(place.scratch.sums, at: at, lanes: lanes)
        b.store(b.apply(.multiply, [sum, factor]), place.scratch.sums, at: at, lanes: lanes)
      }
      return []
    }
  }
}
