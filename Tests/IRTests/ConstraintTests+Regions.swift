import IR

extension ConstraintCase {
  // MARK: Gather

  static let gathers: [ConstraintCase] = [
    gather(
      "c1", { $0.offsetDims = [1, 2] },
      error: "offset_dims [1, 2], collapsed_slice_dims [0] and operand_batching_dims [] do not name each dimension of"
        + " tensor<5x3xf32> once"),
    gather(
      "c2", { $0.indexVectorDim = 3 },
      error: "index_vector_dim 3 is neither a dimension of tensor<4x1xi32> nor its rank"),
    gather(
      "c3", { $0.startIndexMap = [0, 1] },
      error: "start_index_map [0, 1] does not place the 1 components of a start index"),
    gather(
      "c4", { $0 = Gather(offsetDims: [1, 0], startIndexMap: [0], indexVectorDim: 1, sliceExtents: [1, 3]) },
      error: "offset_dims [1, 0] do not ascend"),
    gather("c5", { $0.offsetDims = [2] }, error: "offset_dims [2] leave the 2 dimensions"),
    gather(
      "c6", { ($0.offsetDims, $0.operandBatchingDims, $0.startIndicesBatchingDims) = ([], [0], [0]) },
      error: "collapsed_slice_dims [0] and operand_batching_dims [0] name one dimension twice"),
    gather(
      "c7", { ($0.offsetDims, $0.collapsedSliceDims) = ([], [1, 0]) },
      error: "collapsed_slice_dims [1, 0] do not ascend"),
    gather("c8", { $0.collapsedSliceDims = [2] }, error: "collapsed_slice_dims [2] leave the 2 dimensions"),
    gather(
      "c9", { $0.sliceExtents = [2, 3] },
      error: "a slice has 2 elements along dimension 0, which the result lacks"),
    gather(
      "c10",
      {
        ($0.offsetDims, $0.collapsedSliceDims, $0.operandBatchingDims, $0.startIndicesBatchingDims) = (
          [], [], [1, 0], [0, 0]
        )
      }, error: "operand_batching_dims [1, 0] do not ascend"),
    batched("c11", { $0.operandBatchingDims = [3] }, error: "operand_batching_dims [3] leave the 3 dimensions"),
    batched(
      "c12", { $0.sliceExtents = [2, 1, 3] },
      error: "a slice has 2 elements along dimension 0, which the result lacks"),
    batched(
      "c13", { ($0.offsetDims, $0.operandBatchingDims, $0.startIndicesBatchingDims) = ([], [0, 2], [1, 1]) },
      error: "start_indices_batching_dims [1, 1] name one dimension twice"),
    batched(
      "c14", { $0.startIndicesBatchingDims = [3] },
      error: "start_indices_batching_dims [3] leave the 3 dimensions"),
    batched(
      "c15", { $0.startIndicesBatchingDims = [2] },
      error: "start_indices_batching_dims [2] name index_vector_dim 2"),
    batched(
      "c16", { $0.startIndicesBatchingDims = [] },
      error: "operand_batching_dims [0] and start_indices_batching_dims [] do not pair up"),
    batched(
      "c17", { $0.startIndicesBatchingDims = [0] },
      error: "batching dimensions differ: 2 of tensor<2x5x3xf32> and 4 of tensor<4x2x1xi32>"),
    batched(
      "c18", { $0.startIndexMap = [0] },
      error: "start_index_map [0] and operand_batching_dims [0] name one dimension twice"),
    gather("c19", { $0.startIndexMap = [2] }, error: "start_index_map [2] leave the 2 dimensions"),
    gather("c20", { $0.sliceExtents = [1] }, error: "slice_sizes [1] do not fit the 2 dimensions of tensor<5x3xf32>"),
    gather("c21", { $0.sliceExtents = [1, 4] }, error: "a slice of 4 elements leaves dimension 1 of tensor<5x3xf32>"),
    .init("gather_c22", .gather(rows), [tensor(.f32, 5, 3), tensor(.i32, 4, 1)], gives: [tensor(.f32, 4, 3)]),
    .init("gather_c23", .gather(rows), [tensor(.i8, 5, 3), tensor(.i32, 4, 1)], gives: [tensor(.i8, 4, 3)]),
  ]

  private static let rows = Gather(
    offsetDims: [1], collapsedSliceDims: [0], startIndexMap: [0], indexVectorDim: 1, sliceExtents: [1, 3])

  private static func gather(_ name: String, _ breaking: (inout Gather) -> Void, error: String) -> ConstraintCase {
    var op = rows
    breaking(&op)
    return .init("gather_\(name)", .gather(op), [tensor(.f32, 5, 3), tensor(.i32, 4, 1)], error: error)
  }

  private static func batched(_ name: String, _ breaking: (inout Gather) -> Void, error: String) -> ConstraintCase {
    var op = Gather(
      offsetDims: [2], collapsedSliceDims: [1], operandBatchingDims: [0], startIndicesBatchingDims: [1],
      startIndexMap: [1], indexVectorDim: 2, sliceExtents: [1, 1, 3])
    breaking(&op)
    return .init("gather_\(name)", .gather(op), [tensor(.f32, 2, 5, 3), tensor(.i32, 4, 2, 1)], error: error)
  }

  // MARK: Scatter

  static func scatters() throws -> [ConstraintCase] {
    let sum = try Graph.fold(.add, .f32)
    let both = try Graph.fold([.add, .add], [.f32, .f32])
    let (x, indices, update) = (tensor(.f32, 5, 3), tensor(.i32, 4, 1), tensor(.f32, 4, 3))
    func scatter(
      _ name: String, operands: [TensorType]? = nil, body: Graph? = nil, _ breaking: (inout Scatter) -> Void = { _ in },
      error: String
    ) -> ConstraintCase {
      var op = Scatter(
        updateWindowDims: [1], insertedWindowDims: [0], scatterDimsToOperandDims: [0], indexVectorDim: 1,
        body: body ?? sum)
      breaking(&op)
      return .init("scatter_\(name)", .scatter(op), operands ?? [x, indices, update], error: error)
    }
    func batched(_ name: String, _ breaking: (inout Scatter) -> Void, error: String) -> ConstraintCase {
      var op = Scatter(
        updateWindowDims: [2], insertedWindowDims: [1], inputBatchingDims: [0], scatterIndicesBatchingDims: [1],
        scatterDimsToOperandDims: [1], indexVectorDim: 2, body: sum)
      breaking(&op)
      let operands = [tensor(.f32, 2, 5, 3), tensor(.i32, 4, 2, 1), tensor(.f32, 4, 2, 3)]
      return .init("scatter_\(name)", .scatter(op), operands, error: error)
    }
    let plain = Scatter(
      updateWindowDims: [1], insertedWindowDims: [0], scatterDimsToOperandDims: [0], indexVectorDim: 1, body: sum)
    let wide = try Graph.fold(.add, .f64)
    var widening = plain
    widening.body = wide
    return [
      scatter(
        "c1", operands: [x, tensor(.f32, 5, 4), indices, update, update], body: both,
        error: "scatter needs inputs with the same dimensions"),
      scatter(
        "c2", { $0.insertedWindowDims = [] },
        error:
          "update_window_dims [1], inserted_window_dims [] and input_batching_dims [] do not name each dimension of"
          + " tensor<5x3xf32> once"),
      scatter(
        "c3", operands: [x, x, indices, update, tensor(.f32, 4, 2)], body: both,
        error: "scatter needs updates with the same dimensions"),
      scatter(
        "c4 indices", operands: [x, indices, tensor(.f32, 5, 3)],
        error: "updates tensor<5x3xf32> do not have the extents [4] of the indices tensor<4x1xi32>"),
      scatter(
        "c4 window", operands: [x, indices, tensor(.f32, 4, 4)],
        error: "updates tensor<4x4xf32> leave dimension 1 of tensor<5x3xf32>"),
      scatter(
        "c5", operands: [x, indices],
        error: "scatter takes inputs, indices and as many updates as inputs, not 2 operands"),
      scatter(
        "c6", operands: [x, indices, tensor(.i32, 4, 3)],
        error: "cannot update tensor<5x3xf32> with elements of tensor<4x3xi32>"),
      scatter(
        "c7", { ($0.updateWindowDims, $0.insertedWindowDims) = ([1, 0], []) },
        error: "update_window_dims [1, 0] do not ascend"),
      scatter("c8", { $0.updateWindowDims = [2] }, error: "update_window_dims [2] leave the 2 dimensions"),
      scatter(
        "c9", { ($0.updateWindowDims, $0.inputBatchingDims) = ([], [0]) },
        error: "inserted_window_dims [0] and input_batching_dims [0] name one dimension twice"),
      scatter(
        "c10", { ($0.updateWindowDims, $0.insertedWindowDims) = ([], [1, 0]) },
        error: "inserted_window_dims [1, 0] do not ascend"),
      scatter("c11", { $0.insertedWindowDims = [2] }, error: "inserted_window_dims [2] leave the 2 dimensions"),
      batched(
        "c12", { ($0.updateWindowDims, $0.inputBatchingDims) = ([], [2, 0]) },
        error: "input_batching_dims [2, 0] do not ascend"),
      batched("c13", { $0.inputBatchingDims = [3] }, error: "input_batching_dims [3] leave the 3 dimensions"),
      batched(
        "c14",
        {
          ($0.updateWindowDims, $0.inputBatchingDims, $0.scatterIndicesBatchingDims) = ([], [0, 2], [1, 1])
        }, error: "scatter_indices_batching_dims [1, 1] name one dimension twice"),
      batched(
        "c15", { $0.scatterIndicesBatchingDims = [3] },
        error: "scatter_indices_batching_dims [3] leave the 3 dimensions"),
      batched(
        "c16", { $0.scatterIndicesBatchingDims = [2] },
        error: "scatter_indices_batching_dims [2] name index_vector_dim 2"),
      batched(
        "c17", { $0.scatterIndicesBatchingDims = [] },
        error: "input_batching_dims [0] and scatter_indices_batching_dims [] do not pair up"),
      batched(
        "c18", { $0.scatterIndicesBatchingDims = [0] },
        error: "batching dimensions differ: 2 of tensor<2x5x3xf32> and 4 of tensor<4x2x1xi32>"),
      scatter(
        "c19", { $0.scatterDimsToOperandDims = [0, 1] },
        error: "scatter_dims_to_operand_dims [0, 1] does not place the 1 components of an index"),
      batched(
        "c20", { $0.scatterDimsToOperandDims = [0] },
        error: "scatter_dims_to_operand_dims [0] and input_batching_dims [0] name one dimension twice"),
      scatter(
        "c21", { $0.scatterDimsToOperandDims = [2] },
        error: "scatter_dims_to_operand_dims [2] leave the 2 dimensions"),
      scatter(
        "c22", { $0.indexVectorDim = 3 },
        error: "index_vector_dim 3 is neither a dimension of tensor<4x1xi32> nor its rank"),
      scatter(
        "c23", body: try Graph.comparator([.f32]),
        error:
          "the body of stablehlo.scatter has type (tensor<f32>, tensor<f32>) -> (tensor<i1>), which does not fold f32"),
      .init("scatter_c24", .scatter(plain), [x, indices, update], gives: [x]),
      .init("scatter_c25", .scatter(widening), [x, indices, update], gives: [tensor(.f64, 5, 3)]),
    ]
  }

  // MARK: Folds

  static func folds() throws -> [ConstraintCase] {
    let sum = try Graph.fold(.add, .f32)
    let both = try Graph.fold([.add, .add], [.f32, .f32])
    let wide = try Graph.fold(.add, .f64)
    let comparator = try Graph.comparator([.f32])
    let (x, f) = (tensor(.f32, 2, 5), tensor(.f32))
    func reduce(_ dimensions: [Int], _ body: Graph) -> Op { .reduce(Reduce(dimensions: dimensions, body: body)) }
    func window(_ dimensions: [WindowDimension], _ body: Graph) -> Op {
      .reduceWindow(ReduceWindow(window: dimensions, body: body))
    }
    let (one, two) = (WindowDimension(extent: 1), WindowDimension(extent: 2))
    let notPositive = "of a window are not all positive"
    func choose(_ dimensions: [WindowDimension]? = nil, select: Graph? = nil, scatter: Graph? = nil) -> Op {
      .selectAndScatter(
        SelectAndScatter(window: dimensions ?? [one, two], select: select ?? comparator, scatter: scatter ?? sum))
    }
    let source = tensor(.f32, 2, 4)
    let body = "(tensor<f32>, tensor<f32>) -> (tensor<i1>), which does not fold f32"
    return [
      .init(
        "reduce_c1", reduce([1], both), [x, tensor(.f32, 2, 3), f, f],
        error: "reduce needs inputs with the same dimensions"),
      .init(
        "reduce_c2", reduce([1], sum), [x, tensor(.f64)],
        error: "cannot start a fold of tensor<2x5xf32> from tensor<f64>"),
      .init(
        "reduce_c3", reduce([1], sum), [x, f, f], error: "reduce takes as many initial values as inputs, not 3 operands"
      ),
      .init(
        "reduce_c4", reduce([2], sum), [x, f], error: "dimensions [2] are not distinct dimensions of tensor<2x5xf32>"),
      .init(
        "reduce_c5", reduce([1, 1], sum), [x, f],
        error: "dimensions [1, 1] are not distinct dimensions of tensor<2x5xf32>"),
      .init("reduce_c6", reduce([1], comparator), [x, f], error: "the body of stablehlo.reduce has type \(body)"),
      .init(
        "reduce_c7", reduce([0], sum), [tensor(.f32, 2, .symbol("n"), 5), f], gives: [tensor(.f32, .symbol("n"), 5)]),
      .init("reduce_c8", reduce([0], wide), [x, f], gives: [tensor(.f64, 5)]),
      .init(
        "reduce_window_c1", window([one, two], sum), [x, f, f],
        error: "reduce_window takes as many initial values as inputs, not 3 operands"),
      .init(
        "reduce_window_c2", window([one, two], both), [x, tensor(.f32, 2, 3), f, f],
        error: "reduce_window needs inputs with the same dimensions"),
      .init(
        "reduce_window_c3", window([one, two], sum), [x, tensor(.i32)],
        error: "cannot start a fold of tensor<2x5xf32> from tensor<i32>"),
      .init(
        "reduce_window_c4", window([two], sum), [x, f],
        error: "a window of 1 dimensions does not fit the 2 dimensions of tensor<2x5xf32>"),
      .init(
        "reduce_window_c5", window([one, .init(extent: 0)], sum), [x, f],
        error: "the window of stablehlo.reduce_window has extent 0, which is not positive"),
      .init(
        "reduce_window_c7", window([one, .init(extent: 2, stride: 0)], sum), [x, f],
        error: "stride 0, base dilation 1 and window dilation 1 \(notPositive)"),
      .init(
        "reduce_window_c9", window([one, .init(extent: 2, baseDilation: 0)], sum), [x, f],
        error: "stride 1, base dilation 0 and window dilation 1 \(notPositive)"),
      .init(
        "reduce_window_c11", window([one, .init(extent: 2, windowDilation: -1)], sum), [x, f],
        error: "stride 1, base dilation 1 and window dilation -1 \(notPositive)"),
      .init(
        "reduce_window_c13", window([one, two], comparator), [x, f],
        error: "the body of stablehlo.reduce_window has type \(body)"),
      .init(
        "reduce_window_c15",
        window(
          [.init(extent: 2, paddingLow: 1, baseDilation: 3), .init(extent: 2, stride: 2, windowDilation: 2)], sum),
        [x, f], gives: [tensor(.f32, 4, 2)]),
      .init("reduce_window_c16", window([one, two], wide), [x, f], gives: [tensor(.f64, 2, 4)]),
      .init(
        "select_and_scatter_c1", choose(), [x, tensor(.i32, 2, 4), f],
        error: "cannot scatter elements of tensor<2x4xi32> by a choice among tensor<2x5xf32>"),
      .init(
        "select_and_scatter_c2", choose(), [x, tensor(.f32, 2, 5), f],
        error: "the source tensor<2x5xf32> is not tensor<2x4xf32>, one element for each window"),
      .init(
        "select_and_scatter_c3", choose(), [x, source, tensor(.f64)],
        error: "cannot start a fold of tensor<2x5xf32> from tensor<f64>"),
      .init(
        "select_and_scatter_c4", choose([two]), [x, source, f],
        error: "a window of 1 dimensions does not fit the 2 dimensions of tensor<2x5xf32>"),
      .init(
        "select_and_scatter_c5", choose([one, .init(extent: 0)]), [x, source, f],
        error: "the window of stablehlo.select_and_scatter has extent 0, which is not positive"),
      .init(
        "select_and_scatter_c7", choose([one, .init(extent: 2, stride: 0)]), [x, source, f],
        error: "stride 0, base dilation 1 and window dilation 1 \(notPositive)"),
      .init(
        "select_and_scatter_c9", choose(select: sum), [x, source, f],
        error: "select has type (tensor<f32>, tensor<f32>) -> (tensor<f32>), which does not choose between two of f32"),
      .init(
        "select_and_scatter_c10", choose(scatter: comparator), [x, source, f],
        error: "the body of stablehlo.select_and_scatter has type \(body)"),
      .init("select_and_scatter_c11", choose(), [x, source, f], gives: [x]),
      .init("select_and_scatter_c12", choose(scatter: wide), [x, source, f], gives: [tensor(.f64, 2, 5)]),
    ]
  }

  static func sorts() throws -> [ConstraintCase] {
    let less = try Graph.comparator([.f32])
    let pairs = try Graph.comparator([.f32, .i32])
    let sum = try Graph.fold(.add, .f32)
    let x = tensor(.f32, 2, 5)
    return [
      .init("sort_c1", .sort(Sort(dimension: 0, comparator: less)), [], error: "sort takes at least one input"),
      .init(
        "sort_c2", .sort(Sort(dimension: 0, comparator: pairs)), [x, tensor(.i32, 2, 5)],
        gives: [x, tensor(.i32, 2, 5)]),
      .init(
        "sort_c3", .sort(Sort(dimension: 0, comparator: pairs)), [x, tensor(.i32, 2, 3)],
        error: "sort needs inputs with the same dimensions"),
      .init(
        "sort_c4", .sort(Sort(dimension: 2, comparator: less)), [x],
        error: "dimension 2 is not one of the 2 dimensions of tensor<2x5xf32>"),
      .init("sort_c4 negative", .sort(Sort(dimension: -2, comparator: less)), [x], gives: [x]),
      .init(
        "sort_c5", .sort(Sort(dimension: 0, comparator: sum)), [x],
        error: "the comparator has type (tensor<f32>, tensor<f32>) -> (tensor<f32>), which does not compare two of f32"),
      .init("top_k", .topK(TopK(k: 6)), [x], error: "k = 6 leaves the last dimension of tensor<2x5xf32>"),
      .init("top_k results", .topK(TopK(k: 2)), [x], gives: [tensor(.f32, 2, 2), tensor(.i32, 2, 2)]),
    ]
  }
}
