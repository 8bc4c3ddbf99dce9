// Updates of which no two meet.
func.func @main(%x: tensor<37xf32>, %u: tensor<9xf32>) -> tensor<37xf32> {
  %i = stablehlo.iota dim = 0 : tensor<9x1xi32>
  %0 = "stablehlo.scatter"(%x, %i, %u) <{indices_are_sorted = true, scatter_dimension_numbers = #stablehlo.scatter<inserted_window_dims = [0], scatter_dims_to_operand_dims = [0], index_vector_dim = 1>, unique_indices = true}> ({
  ^bb0(%a: tensor<f32>, %b: tensor<f32>):
    stablehlo.return %b : tensor<f32>
  }) : (tensor<37xf32>, tensor<9x1xi32>, tensor<9xf32>) -> tensor<37xf32>
  return %0 : tensor<37xf32>
}
