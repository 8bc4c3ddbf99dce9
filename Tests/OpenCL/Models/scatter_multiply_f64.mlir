// What has no atomic step is done in order. Some lie outside.
func.func @main(%x: tensor<11x3xf64>, %i: tensor<40x1xi32>, %u: tensor<40x3xf64>) -> tensor<11x3xf64> {
  %0 = "stablehlo.scatter"(%x, %i, %u) <{indices_are_sorted = false, scatter_dimension_numbers = #stablehlo.scatter<update_window_dims = [1], inserted_window_dims = [0], scatter_dims_to_operand_dims = [0], index_vector_dim = 1>, unique_indices = false}> ({
  ^bb0(%a: tensor<f64>, %b: tensor<f64>):
    %7 = stablehlo.multiply %a, %b : tensor<f64>
    stablehlo.return %7 : tensor<f64>
  }) : (tensor<11x3xf64>, tensor<40x1xi32>, tensor<40x3xf64>) -> tensor<11x3xf64>
  return %0 : tensor<11x3xf64>
}
