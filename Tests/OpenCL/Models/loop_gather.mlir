// Rows by number; numbers outside are moved inside.
func.func @main(%x: tensor<7x5xf32>, %i: tensor<9x1xi32>) -> tensor<9x5xf32> {
  %0 = "stablehlo.gather"(%x, %i) <{dimension_numbers = #stablehlo.gather<offset_dims = [1], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 1>, slice_sizes = array<i64: 1, 5>}> : (tensor<7x5xf32>, tensor<9x1xi32>) -> tensor<9x5xf32>
  return %0 : tensor<9x5xf32>
}
