import IR

extension KernelBuilder {
  /// Adds the products of all parts over one block of the depth to 32 × 32 sums, in tiles 0 to 3: tiles 4 and 5 hold the
  /// halves of the rows, 6 and 7 those of the columns.
  ///
  /// `rows` and `columns` say where a half of a part lies. It is loaded just before the first product that reads it, so
  /// that products go on while it is on its way.
  mutating func multiplyTiles(
    _ scheme: SplitScheme, rows: (_ part: Int, _ half: Int, inout KernelBuilder) -> (Memory, IntegerExpression),
    columns: (_ part: Int, _ half: Int, inout KernelBuilder) -> (Memory, IntegerExpression)
  ) {
    var loaded: SplitScheme.Product?
    for product in scheme.products {
      var isRowLoaded = [Bool](repeating: loaded?.left == product.left, count: 2)
      var isColumnLoaded = [Bool](repeating: loaded?.right == product.right, count: 2)
      // The halves that stay are read first with each half that is new.
      for sum in isRowLoaded[0] ? [0, 2, 1, 3] : [0, 1, 2, 3] {
        let (row, column) = (sum / 2, sum % 2)
        if !isRowLoaded[row] {
          let (memory, position) = rows(product.left, row, &self)
          append(.tile(.load(Tile(4 + row), memory, at: position, stride: Extent(SplitLayout.block))))
          isRowLoaded[row] = true
        }
        if !isColumnLoaded[column] {
          let (memory, position) = columns(product.right, column, &self)
          append(.tile(.load(Tile(6 + column), memory, at: position, stride: Extent(SplitLayout.block))))
          isColumnLoaded[column] = true
        }
        append(.tile(.multiplyAdd(scheme.format, sum: Tile(sum), Tile(4 + row), Tile(6 + column))))
      }
      loaded = product
    }
  }
}
